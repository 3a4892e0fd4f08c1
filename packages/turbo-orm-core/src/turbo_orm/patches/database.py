"""What stands for methods of querysets, models, lookups, ``connections`` and ``Atomic``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any

import asgiref.sync
from django.db import connections
from django.db.models import Manager, QuerySet

from ..bridge import in_bridge
from ..connection.engine import is_postgresql
from ..leases.blocks import enter_in_turn, exit_in_turn
from ..leases.storage import used_aliases
from ..leases.stream import stream_rows
from ..plan import insert as inserting
from ..plan.cache import cache
from ..plan.insert import Insertion
from ..plan.originals import is_original
from ..query import AsyncQuerySet
from ..transaction import AsyncAtomic, in_block
from . import testing


def aiterator(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``QuerySet.aiterator`` that streams in the bridge if its database allows."""

    @wraps(original)
    async def aiterator_in_bridge(self: Any, chunk_size: int = 2000) -> AsyncGenerator[Any, None]:
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        if is_postgresql(self.db):
            rows = stream_rows(self.db, lambda: iter(self.iterator(chunk_size)), chunk_size)
        else:
            rows = _threaded_rows(self, chunk_size)
        try:
            async for row in rows:
                yield row
        finally:
            await rows.aclose()

    return aiterator_in_bridge


async def _threaded_rows(queryset: Any, chunk_size: int) -> AsyncGenerator[Any, None]:
    """Yield rows as Django's own ``aiterator`` does, which would ask for ours by the same name."""
    rows = queryset.iterator(chunk_size)
    chunk = asgiref.sync.sync_to_async(lambda: list(islice(rows, chunk_size)))
    while found := await chunk():
        for row in found:
            yield row


def all_connections(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``connections.all`` that in the bridge knows which ones were used.

    Every request asks for those three times, and would borrow a wrapper of each alias for it.
    """

    @wraps(original)
    def all_in_bridge(self: Any, initialized_only: bool = False) -> Any:
        if initialized_only and self is connections and in_bridge():
            used = used_aliases()
            return [self[alias] for alias in self if alias in used] if used else []
        return original(self, initialized_only)

    return all_in_bridge


def forget_plans(original: Any) -> Any:
    """Return a ``_clear_cached_class_lookups`` after which no plan uses a former lookup."""
    function = original.__func__

    @classmethod  # type: ignore[misc]
    def clear(cls: Any) -> None:
        function(cls)
        cache.clear()

    return clear


def insert(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``QuerySet._insert`` that in the bridge inserts by a plan."""
    if not is_original(original):
        return original

    @wraps(original)
    def insert_by_plan(self: Any, objs: list[Any], fields: Any, *args: Any, **options: Any) -> Any:
        if objs and cache.enabled and in_bridge() and not args:
            rows = _insert_by_plan(self, objs, fields, **options)
            if rows is not None:
                return rows
        return original(self, objs, fields, *args, **options)

    return insert_by_plan


def _insert_by_plan(
    queryset: Any,
    objs: list[Any],
    fields: Any,
    *,
    returning_fields: Any = None,
    raw: bool = False,
    using: str | None = None,
    **options: Any,
) -> Any:
    queryset._for_write = True
    alias = using or queryset.db
    if type(objs[0]) is not queryset.model or not is_postgresql(alias):
        return None
    return inserting.insert(
        Insertion(objs, fields, returning_fields, raw=raw, options=options), alias
    )


def do_update(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``Model._do_update`` that in the bridge updates the row by a plan."""

    @wraps(original)
    def update_by_plan(self: Any, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
        kind: Any = type(base_qs)
        if (
            kind is QuerySet
            and type(base_qs.model._base_manager) is Manager
            and cache.enabled
            and in_bridge()
            and is_postgresql(base_qs.db)
        ):
            base_qs = AsyncQuerySet(base_qs.model, using=base_qs._db, hints=base_qs._hints)
        return original(self, base_qs, *args, **kwargs)

    return update_by_plan


def enter(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return an ``Atomic.__enter__`` that waits for its turn and takes note of test cases."""
    return testing.enter_block(enter_in_turn(original))


def leave(original: Callable[..., None]) -> Callable[..., None]:
    """Return an ``Atomic.__exit__`` that ends the turn and takes note of test cases."""
    return testing.exit_block(exit_in_turn(original))


def aenter(original: None) -> Callable[..., Awaitable[None]]:
    """Return ``Atomic.__aenter__``, which Django does not have."""
    return AsyncAtomic.__aenter__


def aexit(original: None) -> Callable[..., Awaitable[None]]:
    """Return ``Atomic.__aexit__``, which Django does not have."""
    return AsyncAtomic.__aexit__


def decorate(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``Atomic.__call__`` that can decorate coroutine functions too."""

    @wraps(original)
    def decorate_either(self: Any, func: Callable[..., Any]) -> Callable[..., Any]:
        if iscoroutinefunction(func):
            return in_block(self, func)
        decorated: Callable[..., Any] = original(self, func)
        return decorated

    return decorate_either
