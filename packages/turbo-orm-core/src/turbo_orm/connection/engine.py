"""From an alias to the class of its wrappers, the wrappers kept warm, and its pool's recipe."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend
from django.utils.asyncio import async_unsafe

from ..conf import get_settings
from . import scope
from .wrapper import BridgedWrapper

# One operation needs one wrapper; more than the pool's connections are seldom alive at once.
WARM_MAX = 32

_warm: dict[str, list[BridgedWrapper]] = {}
# Counts the changes of settings that wrappers remember.
_generation = 0


def engine_class(alias: str) -> type[BaseDatabaseWrapper]:
    """Return the wrapper class that ``DATABASES[alias]["ENGINE"]`` names."""
    backend: Any = load_backend(connections.settings[alias]["ENGINE"])
    engine: type[BaseDatabaseWrapper] = backend.DatabaseWrapper
    return engine


@functools.lru_cache(maxsize=64)
def is_postgresql_engine(engine: str) -> bool:
    """Tell whether an engine is PostgreSQL on psycopg 3."""
    wrapper: type[BaseDatabaseWrapper] = load_backend(engine).DatabaseWrapper
    module = getattr(wrapper, "Database", None)
    return wrapper.vendor == "postgresql" and getattr(module, "__name__", "") == "psycopg"


def is_postgresql(alias: str) -> bool:
    """Tell whether an alias can be used through the bridge."""
    return is_postgresql_engine(connections.settings[alias]["ENGINE"])


def all_postgresql() -> bool:
    """Tell whether every configured alias can be used through the bridge."""
    return all(is_postgresql(alias) for alias in connections.settings)


def require_postgresql(alias: str) -> None:
    """Raise unless an alias can be used through the bridge.

    Raises:
        ImproperlyConfigured: its engine is not PostgreSQL on psycopg 3.
    """
    if not is_postgresql(alias):
        engine = connections.settings[alias]["ENGINE"]
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['ENGINE'] is {engine!r}, which Turbo ORM cannot await. Put "
            "'django.db.backends.postgresql', 'django.contrib.gis.db.backends.postgis' or "
            "'django_async_backend.db.backends.postgresql' there, with psycopg 3 installed."
        )


# Every function that `async_unsafe` decorates shares this code object, whatever it wraps.
_ASYNC_UNSAFE_CODE = async_unsafe(lambda self: None).__code__


def _async_unsafe_methods(engine: type) -> Mapping[str, Callable[..., Any]]:
    found = {}
    for name in dir(engine):
        function = getattr(engine, name)
        if getattr(function, "__code__", None) is _ASYNC_UNSAFE_CODE:
            found[name] = function.__wrapped__
    return found


def _guarded(function: Callable[..., Any], check: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        return function(self, *args, **kwargs)

    return guarded


@functools.lru_cache(maxsize=16)
def bridged_class(engine: type[BaseDatabaseWrapper]) -> type[BridgedWrapper]:
    """Return the engine's wrapper class, safe on the event loop if and only if in the bridge."""
    guarded = {
        name: _guarded(function, scope.check_access)
        for name, function in _async_unsafe_methods(engine).items()
    }
    unguarded = type(f"Unguarded{engine.__name__}", (engine,), _async_unsafe_methods(engine))
    made = types.new_class(
        f"Bridged{engine.__name__}",
        (BridgedWrapper, unguarded),
        exec_body=lambda namespace: namespace.update(_outermost(guarded)),
    )
    return made


def _outermost(guarded: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Keep the guards of methods that ``BridgedWrapper`` does not define itself."""
    return {name: guard for name, guard in guarded.items() if name not in vars(BridgedWrapper)}


@functools.lru_cache(maxsize=16)
def unsupported_class(engine: type[BaseDatabaseWrapper]) -> type[BaseDatabaseWrapper]:
    """Return the engine's wrapper class with every use of the database refused."""

    def refuse(wrapper: BaseDatabaseWrapper) -> None:
        require_postgresql(wrapper.alias)

    refused = {
        name: _guarded(function, refuse)
        for name, function in _async_unsafe_methods(engine).items()
        if name != "close"
    }
    made: type[BaseDatabaseWrapper] = type(f"Unsupported{engine.__name__}", (engine,), refused)
    return made


def make_wrapper(alias: str) -> BridgedWrapper:
    """Make a wrapper of an alias, without a connection."""
    wrapper = bridged_class(engine_class(alias))(connections.settings[alias], alias)
    wrapper.shared = True
    wrapper.generation = _generation
    return wrapper


@functools.lru_cache(maxsize=64)
def unsupported_wrapper(alias: str) -> BaseDatabaseWrapper:
    """Return what ``connections[alias]`` is in the bridge for an engine that cannot be awaited."""
    return unsupported_class(engine_class(alias))(connections.settings[alias], alias)


@functools.lru_cache(maxsize=64)
def idle_wrapper(alias: str) -> BridgedWrapper:
    """Return what ``connections[alias]`` is on the event loop, outside the bridge.

    It has no connection and refuses to take one; its query log and hooks are the context's, so
    that ``CaptureQueriesContext`` and ``execute_wrapper`` work around awaited queries.
    """
    return make_wrapper(alias)


def _take_wrapper(alias: str) -> BridgedWrapper:
    warm = _warm.get(alias)
    return warm.pop() if warm else make_wrapper(alias)


def _keep_wrapper(wrapper: BridgedWrapper) -> None:
    warm = _warm.setdefault(wrapper.alias, [])
    if len(warm) < WARM_MAX and wrapper.generation == _generation:
        warm.append(wrapper)


def forget_wrappers() -> None:
    """Drop every warm wrapper, since settings that they remember have changed."""
    global _generation
    _generation += 1
    _warm.clear()
    idle_wrapper.cache_clear()
    unsupported_wrapper.cache_clear()
    get_settings.cache_clear()


scope.take_wrapper = _take_wrapper
scope.keep_wrapper = _keep_wrapper
