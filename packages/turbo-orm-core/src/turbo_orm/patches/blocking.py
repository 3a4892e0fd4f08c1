"""Which of Django's objects wait for something other than the database, and how they do it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.deprecation import MiddlewareMixin

from ..bridge import await_thread, in_bridge

NEVER_BLOCKING_CACHES = (DatabaseCache, DummyCache, LocMemCache)

# Not `get_or_set`: the default that it may be given is the project's code, and may query.
CACHE_METHODS = (
    *("add", "clear", "decr_version", "delete", "delete_many", "decr", "get", "get_many"),
    *("has_key", "incr", "incr_version", "set", "set_many", "touch"),
)

SESSION_BACKENDS = "django.contrib.sessions.backends"
CACHED_STORES = {f"{SESSION_BACKENDS}.cache", f"{SESSION_BACKENDS}.cached_db"}
BRIDGED_STORES = {*CACHED_STORES, f"{SESSION_BACKENDS}.db", f"{SESSION_BACKENDS}.signed_cookies"}


def blocks(owner: Any) -> bool:
    """Tell whether a method of an object or class waits for a network or a file.

    Args:
        owner: a cache, a session store, a middleware: what the method is bound to. Of anything else
            the answer is no: what else is redirected uses the database.
    """
    kind = owner if isinstance(owner, type) else type(owner)
    if issubclass(kind, BaseCache):
        return not issubclass(kind, NEVER_BLOCKING_CACHES)
    if issubclass(kind, SessionBase):
        return _store_blocks(owner, kind)
    if issubclass(kind, MiddlewareMixin):
        return _middleware_blocks(owner)
    return False


def _store_blocks(store: Any, kind: type) -> bool:
    modules = {base.__module__ for base in kind.__mro__}
    if modules & CACHED_STORES:
        return blocks(getattr(store, "_cache", None) or caches[settings.SESSION_CACHE_ALIAS])
    return not modules & BRIDGED_STORES


def _middleware_blocks(middleware: Any) -> bool:
    # Those for whole pages have a cache, that for sessions the class of their store.
    used = (getattr(middleware, name, None) for name in ("cache", "SessionStore"))
    return any(found is not None and blocks(found) for found in used)


def create_cache(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``CacheHandler.create_connection`` whose caches, in the bridge, wait in a thread.

    Those in the database and in local memory do not wait, or wait in the bridge.
    """

    @functools.wraps(original)
    def create_cache_for_loop(self: Any, alias: str) -> Any:
        cache = original(self, alias)
        if blocks(cache):
            offload_methods(cache, CACHE_METHODS)
        return cache

    return create_cache_for_loop


def offload_methods(owner: Any, names: Iterable[str]) -> None:
    """Let methods of one object do their work in a thread when they are called in the bridge."""
    state = vars(owner)
    for name in names:
        if name not in state:
            state[name] = _offloaded(owner, name)


def _offloaded(owner: Any, name: str) -> Callable[..., Any]:
    def offloaded(*args: Any, **kwargs: Any) -> Any:
        method = getattr(type(owner), name)
        # In the thread it is called again, by other methods of the object.
        call = await_thread if in_bridge() else _call
        return call(method, owner, *args, **kwargs)

    return offloaded


def _call(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return method(*args, **kwargs)
