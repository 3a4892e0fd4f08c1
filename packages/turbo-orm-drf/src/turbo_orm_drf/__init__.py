"""Django REST framework on the event loop: its own views and serializers, awaited.

Any other name is a module of DRF's, so that ``from turbo_orm_drf import permissions, viewsets``
says what ``from rest_framework import permissions, viewsets`` said. The names are imported when
first used, since DRF needs Django's settings.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asynchronous import AsyncViewMixin
    from .optimizing import AutoOptimizeMixin
    from .renderers import EventStreamRenderer, JSONLinesRenderer, ServerSentEvent
    from .serializers import AsyncSerializerMixin
    from .shapes import reads
    from .streaming import StreamingListMixin, StreamingResponse

__version__ = "0.1.0"

_HOMES = {
    "AsyncSerializerMixin": "serializers",
    "AsyncViewMixin": "asynchronous",
    "AutoOptimizeMixin": "optimizing",
    "EventStreamRenderer": "renderers",
    "JSONLinesRenderer": "renderers",
    "ServerSentEvent": "renderers",
    "StreamingListMixin": "streaming",
    "StreamingResponse": "streaming",
    "reads": "shapes",
}

__all__ = [
    "AsyncSerializerMixin",
    "AsyncViewMixin",
    "AutoOptimizeMixin",
    "EventStreamRenderer",
    "JSONLinesRenderer",
    "ServerSentEvent",
    "StreamingListMixin",
    "StreamingResponse",
    "__version__",
    "reads",
]


def __getattr__(name: str) -> Any:
    """Return a name of ours, a module of ours, or one of DRF's that has nothing to add here."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    for package in (__name__, "rest_framework"):
        if not name.startswith("_") and importlib.util.find_spec(f"{package}.{name}"):
            return importlib.import_module(f"{package}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
