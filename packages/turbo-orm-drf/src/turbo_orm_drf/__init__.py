"""Django REST framework on the event loop: its own views and serializers, awaited.

Every module and every name of ``rest_framework`` is here too, so that replacing ``rest_framework``
by ``turbo_orm_drf`` moves a project over: see ``mirror``. The names are imported when first used,
since DRF needs Django's settings.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from . import mirror

__version__ = "0.1.0"

mirror.install()

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
    """Return a name of ours, a module of ours or of DRF's, or a name of DRF's."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if not name.startswith("_"):
        if find_spec(f"{__name__}.{name}"):
            return import_module(f"{__name__}.{name}")
        theirs = import_module("rest_framework")
        if hasattr(theirs, name):
            return getattr(theirs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
