"""What the table of redirects puts in the place of Django's names."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from itertools import islice
from types import SimpleNamespace
from typing import Any

import asgiref.sync
from django.core.cache.backends.db import DatabaseCache
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet
from django.utils.module_loading import import_string

from .. import callers
from .blocking import blocks
from ..bridge import await_, in_bridge, run_any
from ..connection.engine import all_postgresql, is_postgresql
from ..leases.request_thread import finish_thread, has_thread
from ..leases.storage import used_aliases
from ..leases.stream import stream_rows
from ..namespaces import begin_request, end_request, kept_outside
from ..plan import insert as inserting
from ..plan.cache import cache
from ..plan.insert import Insertion
from ..query import AsyncQuerySet
from ..transaction import AsyncAtomic, in_block


def sync_to_async(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that runs the function in the bridge if its database allows.

    What waits for something else than a database keeps its thread.
    """

    @wraps(original)
    def bridged(function: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
        threaded: Callable[..., Any] | None = None
        if named.get("thread_sensitive") is False or blocks(getattr(function, "__self__", None)):
            threaded = original(function, *options, **named)
            return threaded

        async def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal threaded
            if all_postgresql() or is_postgresql(alias_of(function, args, kwargs)):
                return await run_any(function, *args, **kwargs)
            threaded = threaded or original(function, *options, **named)
            return await threaded(*args, **kwargs)

        return call

    return bridged


def inside_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that spares the thread where the bridge has been entered."""

    @wraps(original)
    def bridged(function: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
        if not in_bridge():
            outside: Callable[..., Any] = original(function, *options, **named)
            return outside

        async def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    return bridged


def in_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that enters the bridge, whatever it was told of threads."""

    @wraps(original)
    def bridged(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return functools.partial(run_any, function)

    return bridged


def load_middleware(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``BaseHandler.load_middleware`` that makes that of ``AsyncClient`` one of ours.

    The class of the test client's handler cannot be replaced before a test has imported it.
    """

    @wraps(original)
    def bridged(self: Any, is_async: bool = False) -> None:
        kind = type(self)
        if (kind.__module__, kind.__qualname__) == ("django.test.client", "AsyncClientHandler"):
            # Named, not imported: it imports what only tests need.
            self.__class__ = import_string("turbo_orm.test.client.BridgedAsyncClientHandler")
            self.load_middleware(is_async)
        else:
            original(self, is_async)

    return bridged


def alias_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the database that a synchronous method of Django's is going to use."""
    owner: Any = getattr(function, "__self__", None)
    if kwargs.get("using"):
        return str(kwargs["using"])
    if isinstance(owner, QuerySet | RawQuerySet):
        return str(owner.db)
    if isinstance(owner, Model):
        return str(router.db_for_write(type(owner), instance=owner))
    if isinstance(owner, Manager):
        instance = getattr(owner, "instance", None)
        return str(owner._db or router.db_for_write(owner.model, instance=instance))
    if isinstance(owner, DatabaseCache):
        return str(router.db_for_write(owner.cache_model_class))
    return _alias_of_first(args)


def _alias_of_first(args: tuple[Any, ...]) -> str:
    """Return the database of the first of the instances that are the first argument."""
    if args and isinstance(args[0], list | tuple) and args[0] and isinstance(args[0][0], Model):
        return str(args[0][0]._state.db or DEFAULT_DB_ALIAS)
    return DEFAULT_DB_ALIAS


def aiterator(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``QuerySet.aiterator`` that streams in the bridge if its database allows."""

    @wraps(original)
    async def bridged(self: Any, chunk_size: int = 2000) -> AsyncGenerator[Any, None]:
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

    return bridged


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
    def bridged(self: Any, initialized_only: bool = False) -> Any:
        if initialized_only and self is connections and in_bridge():
            used = used_aliases()
            return [self[alias] for alias in self if alias in used] if used else []
        return original(self, initialized_only)

    return bridged


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

    @wraps(original)
    def bridged(self: Any, objs: list[Any], fields: Any, *args: Any, **options: Any) -> Any:
        if objs and cache.enabled and in_bridge() and not args:
            rows = _insert_by_plan(self, objs, fields, **options)
            if rows is not None:
                return rows
        return original(self, objs, fields, *args, **options)

    return bridged


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
    def bridged(self: Any, base_qs: Any, *args: Any, **kwargs: Any) -> Any:
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

    return bridged


def aenter(original: None) -> Callable[..., Awaitable[None]]:
    """Return ``Atomic.__aenter__``, which Django does not have."""
    return AsyncAtomic.__aenter__


def aexit(original: None) -> Callable[..., Awaitable[None]]:
    """Return ``Atomic.__aexit__``, which Django does not have."""
    return AsyncAtomic.__aexit__


def decorate(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``Atomic.__call__`` that can decorate coroutine functions too."""

    @wraps(original)
    def bridged(self: Any, func: Callable[..., Any]) -> Callable[..., Any]:
        if iscoroutinefunction(func):
            return in_block(self, func)
        decorated: Callable[..., Any] = original(self, func)
        return decorated

    return bridged


def async_to_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``async_to_sync`` that in the bridge waits in the running task."""

    @wraps(original)
    def bridged(function: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
        if not in_bridge():
            outside: Callable[..., Any] = original(function, *options, **named)
            return outside

        def call(*args: Any, **kwargs: Any) -> Any:
            return await_(function(*args, **kwargs))

        return call

    return bridged


def call_from_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``AsyncToSync.__call__`` that in the bridge waits in the running task.

    Elsewhere it notes who waits: what the coroutine asks of the database is done in that thread.
    Code that Django would run in a thread asks coroutines that way: a receiver of a signal, a
    synchronous middleware. asgiref refuses it on a thread with a loop, to which the bridge belongs.
    """
    outside = callers.note_call(original)

    @wraps(original)
    def bridged(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.force_new_loop or not in_bridge():
            with kept_outside():
                return outside(self, *args, **kwargs)
        return await_(self.awaitable(*args, **kwargs))

    return bridged


def in_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``ASGIHandler.handle`` that serves each request with values of its own.

    Django's own handler runs synchronous middleware in a thread. What ``a*`` methods call on the
    event loop, as receivers of signals, must see what that middleware has set.
    """

    @wraps(original)
    async def bridged(self: Any, *args: Any, **kwargs: Any) -> None:
        outer = begin_request()
        try:
            await _with_thread_finished(original(self, *args, **kwargs))
        finally:
            end_request(outer)

    return bridged


async def _with_thread_finished(serving: Awaitable[None]) -> None:
    """Serve a request, and close the old connections of the thread that it may have had.

    The signals that do that in Django are sent on the event loop.
    """
    dropped = False
    try:
        await serving
    except GeneratorExit:
        # Nothing may be awaited any more.
        dropped = True
        raise
    finally:
        if has_thread() and not dropped:
            await finish_thread()


def run_in_turn(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``_run_parallel`` that in the bridge awaits one after the other, in this task.

    Receivers of a signal then share the connection and the transaction of what sent it.
    """

    @wraps(original)
    async def bridged(*coroutines: Coroutine[Any, Any, Any]) -> Any:
        if in_bridge():
            return await _in_turn(*coroutines)
        return await original(*coroutines)

    return bridged


def sequential_asyncio(original: Any) -> Any:
    """Return what the signal dispatcher before Django 6.1 needs of asyncio; see ``run_in_turn``."""

    def gather(*awaitables: Any) -> Any:
        return _in_turn(*awaitables) if in_bridge() else asyncio.gather(*awaitables)

    return SimpleNamespace(gather=gather)


async def _in_turn(*awaitables: Any) -> list[Any]:
    waiting = list(awaitables)
    try:
        return [await waiting.pop(0) for _ in awaitables]
    finally:
        for coroutine in waiting:
            close = getattr(coroutine, "close", None)
            if close is not None:
                close()
