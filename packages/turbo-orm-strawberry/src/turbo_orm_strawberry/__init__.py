"""strawberry-django on the event loop: resolvers that return querysets."""

from .extension import TurboExtension
from .redirect import apply

__version__ = "0.1.0"

__all__ = ["TurboExtension", "__version__"]

apply()
