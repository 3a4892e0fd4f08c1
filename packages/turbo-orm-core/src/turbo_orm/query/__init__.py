"""The public querysets, managers and models: Django's, each terminal awaited in the bridge."""

from .counted import fetch_beside, is_free
from .manager import AsyncManager
from .model import AsyncModel, AsyncModelMixin
from .optimizer import ANYTHING, behind, optimize, prefetch, read_by, reads
from .queryset import AsyncQuerySet
from .raw import AsyncRawQuerySet

__all__ = [
    "ANYTHING",
    "AsyncManager",
    "AsyncModel",
    "AsyncModelMixin",
    "AsyncQuerySet",
    "AsyncRawQuerySet",
    "behind",
    "fetch_beside",
    "is_free",
    "optimize",
    "prefetch",
    "read_by",
    "reads",
]
