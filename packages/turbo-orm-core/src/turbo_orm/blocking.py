"""Which of Django's objects wait for something else than the database, and so keep a thread."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.deprecation import MiddlewareMixin

from .conf import get_settings

NEVER_BLOCKING_CACHES = (DatabaseCache, DummyCache, LocMemCache)

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
    kind = type(middleware)
    if f"{kind.__module__}.{kind.__qualname__}" in get_settings().THREAD_MIDDLEWARE:
        return True
    # Those for whole pages have a cache, that for sessions the class of their store.
    used = (getattr(middleware, name, None) for name in ("cache", "SessionStore"))
    return any(found is not None and blocks(found) for found in used)
