"""The public querysets, managers and models: Django's, each terminal awaited in the bridge."""

from .manager import AsyncManager
from .model import AsyncModel, AsyncModelMixin
from .optimizer import optimize, prefetch
from .queryset import AsyncQuerySet
from .raw import AsyncRawQuerySet

__all__ = [
    "AsyncManager",
    "AsyncModel",
    "AsyncModelMixin",
    "AsyncQuerySet",
    "AsyncRawQuerySet",
    "optimize",
    "prefetch",
]
