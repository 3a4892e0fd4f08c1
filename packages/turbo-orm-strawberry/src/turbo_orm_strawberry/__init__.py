"""strawberry-django on the event loop: resolvers that return querysets."""

from . import mutations
from .dataloader import DataLoader
from .extension import TurboExtension
from .field import (
    TurboField,
    connection,
    field,
    input,  # noqa: A004 -- strawberry-django's name
    interface,
    node,
    offset_paginated,
    partial,
    type,  # noqa: A004 -- strawberry-django's name
)
from .guards import DocumentLimiter, SizeLimiter, TimeLimiter, guards
from .mutations import input_mutation, mutation
from .names import check
from .redirect import apply
from .views import AsyncGraphQLView

__version__ = "0.1.0"

__all__ = [
    "AsyncGraphQLView",
    "DataLoader",
    "DocumentLimiter",
    "SizeLimiter",
    "TimeLimiter",
    "TurboExtension",
    "TurboField",
    "__version__",
    "connection",
    "field",
    "guards",
    "input",
    "input_mutation",
    "interface",
    "mutation",
    "mutations",
    "node",
    "offset_paginated",
    "partial",
    "type",
]

check()
apply()
