"""Django Ninja on the event loop: async endpoints that return querysets."""

from turbo_orm.query import reads

from .errors import handle_conflicts, handle_missing
from .main import TurboNinjaAPI
from .names import check
from .operation import turbo_view
from .options import atomic_operation, optimize
from .router import Router

__version__ = "0.1.0"

__all__ = [
    "Router",
    "TurboNinjaAPI",
    "__version__",
    "atomic_operation",
    "handle_conflicts",
    "handle_missing",
    "optimize",
    "reads",
    "turbo_view",
]

check()
