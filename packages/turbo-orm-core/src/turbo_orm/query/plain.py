"""Plans for plain managers: those of Django's own applications, and of other people's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import router
from django.db.models import QuerySet

from ..bridge import in_bridge
from ..connection.engine import all_postgresql, is_postgresql
from ..plan.cache import cache
from ..plan.originals import is_original
from .queryset import AsyncQuerySet


class PlainQuerySet(AsyncQuerySet[Any]):
    """A queryset of a plain manager, recorded like ours; it shows itself as Django's does."""

    raw = QuerySet.raw  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__class__" and not issubclass(value, PlainQuerySet):
            # Code that makes a plain queryset one of its own class needs Django's state.
            built = self.query
            self.__dict__.pop("built_query", None)
            self.__dict__["_query"] = built
        object.__setattr__(self, name, value)


PlainQuerySet.__name__ = "QuerySet"


def get_queryset(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a ``BaseManager.get_queryset`` whose querysets, in the bridge, have plans."""
    if not is_original(original):
        # Its querysets may be of any class.
        return original

    @wraps(original)
    def get_plain_queryset(self: Any) -> Any:
        if self._queryset_class is not QuerySet or not in_bridge() or not cache.enabled:
            return original(self)
        if not all_postgresql() and not is_postgresql(_alias(self)):
            return original(self)
        return PlainQuerySet(model=self.model, using=self._db, hints=self._hints)

    return get_plain_queryset


def _alias(manager: Any) -> str:
    return manager._db or router.db_for_read(manager.model, **manager._hints)
