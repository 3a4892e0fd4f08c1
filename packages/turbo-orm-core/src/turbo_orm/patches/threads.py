"""What stands for asgiref's ``sync_to_async`` and ``async_to_sync``: the bridge, not a thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import DEFAULT_DB_ALIAS, router
from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet

from ..bridge import await_, in_bridge, run_any
from ..connection.engine import all_postgresql, is_postgresql
from ..namespaces import kept_outside
from .blocking import blocks
from .calls import with_caller


def sync_to_async(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that runs the function in the bridge if its database allows.

    What waits for something else than a database keeps its thread.
    """

    @wraps(original)
    def sync_to_bridge(
        function: Callable[..., Any], *options: Any, **named: Any
    ) -> Callable[..., Any]:
        threaded: Callable[..., Any] | None = None
        if named.get("thread_sensitive") is False or blocks(getattr(function, "__self__", None)):
            threaded = original(function, *options, **named)
            return threaded

        async def run_in_bridge(*args: Any, **kwargs: Any) -> Any:
            nonlocal threaded
            if all_postgresql() or is_postgresql(alias_of(function, args, kwargs)):
                return await run_any(function, *args, **kwargs)
            threaded = threaded or original(function, *options, **named)
            return await threaded(*args, **kwargs)

        return run_in_bridge

    return sync_to_bridge


def inside_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that spares the thread where the bridge has been entered."""

    @wraps(original)
    def sync_to_bridge_or_thread(
        function: Callable[..., Any], *options: Any, **named: Any
    ) -> Callable[..., Any]:
        if not in_bridge():
            outside: Callable[..., Any] = original(function, *options, **named)
            return outside

        async def run_inside_bridge(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return run_inside_bridge

    return sync_to_bridge_or_thread


def in_the_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that enters the bridge, whatever it was told of threads."""

    @wraps(original)
    def sync_to_self(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return functools.partial(run_any, function)

    return sync_to_self


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


def async_to_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``async_to_sync`` that in the bridge waits in the running task."""

    @wraps(original)
    def async_to_bridge(
        function: Callable[..., Any], *options: Any, **named: Any
    ) -> Callable[..., Any]:
        if not in_bridge():
            outside: Callable[..., Any] = original(function, *options, **named)
            return outside

        def wait_in_bridge(*args: Any, **kwargs: Any) -> Any:
            return await_(function(*args, **kwargs))

        return wait_in_bridge

    return async_to_bridge


def call_from_bridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``AsyncToSync.__call__`` that in the bridge waits in the running task.

    Elsewhere it notes who waits: what the coroutine asks of the database is done in that thread.
    Code that Django would run in a thread asks coroutines that way: a receiver of a signal, a
    synchronous middleware. asgiref refuses it on a thread with a loop, to which the bridge belongs.
    """
    outside = with_caller(original)

    @wraps(original)
    def call_from_bridge_or_thread(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.force_new_loop or not in_bridge():
            with kept_outside():
                return outside(self, *args, **kwargs)
        return await_(self.awaitable(*args, **kwargs))

    return call_from_bridge_or_thread
