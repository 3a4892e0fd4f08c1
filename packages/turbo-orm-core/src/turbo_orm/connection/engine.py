"""From an alias to the class of its wrappers, the wrappers kept warm, and its pool's recipe."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.utils import load_backend
from django.utils.asyncio import async_unsafe
from django.utils.connection import ConnectionDoesNotExist

from ..conf import get_settings
from .carried import adopt, carrying_class, setter_of
from .connecting import BridgedDriver
from .lessor import lessor
from .watched import preparing
from .wrapper import BridgedWrapper

ASYNC_ENGINE = "django_async_backend.db.backends.postgresql"
HOW_TO_GET_IT = (
    "Install it with `pip install 'turbo-orm-core[async-backend]'`, which needs Python 3.12 and "
    "Django 5 or newer, or set ENGINE to 'django.db.backends.postgresql'."
)


class MissingAsyncBackend(ImproperlyConfigured):
    """Raised for an engine that needs django-async-backend, where that is not installed."""


# The methods that are called for each cursor, and may prepare the session for it.
MAKERS = ("ensure_connection", "cursor", "chunked_cursor", "_cursor", "create_cursor")

# Wrappers between two jobs, by alias.
_warm: dict[str, list[BridgedWrapper]] = {}


def database_settings(alias: str) -> dict[str, Any]:
    """Return ``DATABASES[alias]``, with Django's defaults.

    Raises:
        ConnectionDoesNotExist: there is no such alias.

    Mirrors ``connections[alias].settings_dict``.
    """
    try:
        found: dict[str, Any] = connections.settings[alias]
    except KeyError:
        raise ConnectionDoesNotExist(f"The connection '{alias}' doesn't exist.") from None
    return found


def engine_class(alias: str) -> Any:
    """Return the wrapper class that ``DATABASES[alias]["ENGINE"]`` names."""
    return _wrapper_class(database_settings(alias)["ENGINE"])


def _wrapper_class(engine: str) -> Any:
    try:
        backend: Any = load_backend(engine)
    except ImproperlyConfigured as error:
        missing = getattr(error.__cause__, "name", None) or ""
        if missing.partition(".")[0] != "django_async_backend":
            raise
        raise MissingAsyncBackend(
            f"ENGINE is {engine!r}, but django-async-backend is not installed. {HOW_TO_GET_IT}"
        ) from error
    return backend.DatabaseWrapper


@functools.lru_cache(maxsize=64)
def is_postgresql_engine(engine: str) -> bool:
    """Tell whether an engine is PostgreSQL on psycopg 3."""
    wrapper: type[BaseDatabaseWrapper] = _wrapper_class(engine)
    module = getattr(wrapper, "Database", None)
    return wrapper.vendor == "postgresql" and getattr(module, "__name__", "") == "psycopg"


def is_postgresql(alias: str) -> bool:
    """Tell whether an alias can be used through the bridge.

    Raises:
        ConnectionDoesNotExist: there is no such alias.
    """
    return is_postgresql_engine(database_settings(alias)["ENGINE"])


def all_postgresql() -> bool:
    """Tell whether every configured alias can be used through the bridge."""
    return all(is_postgresql(alias) for alias in connections.settings)


def require_postgresql(alias: str) -> None:
    """Raise unless an alias can be used through the bridge.

    Raises:
        ConnectionDoesNotExist: there is no such alias.
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
_ASYNC_UNSAFE_CODE = getattr(async_unsafe(bool), "__code__")  # noqa: B009  # unknown to stubs


def _undecorated(owner: type) -> dict[str, Callable[..., Any]]:
    # What instances only have is named too, where an attribute of theirs belongs to the context.
    functions: Any = ((name, getattr(owner, name, None)) for name in dir(owner))
    return {
        name: function.__wrapped__
        for name, function in functions
        if getattr(function, "__code__", None) is _ASYNC_UNSAFE_CODE
    }


# Taken when this module is imported: Django's test cases put something else in their place.
_OF_DJANGOS_BASE = _undecorated(BaseDatabaseWrapper)


def _async_unsafe_methods(engine: type) -> dict[str, Callable[..., Any]]:
    """Return what the methods of an engine do that Django forbids on an event loop."""
    above_base = engine.__mro__[: engine.__mro__.index(BaseDatabaseWrapper)]
    own = {name for owner in above_base for name in vars(owner)}
    inherited = {name: call for name, call in _OF_DJANGOS_BASE.items() if name not in own}
    return {**inherited, **_undecorated(engine)}


def _guarded(function: Callable[..., Any], check: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(self)
        return function(self, *args, **kwargs)

    return guarded


def _check_access(wrapper: Any) -> None:
    lessor.check_access(wrapper)


def _check_close(wrapper: Any) -> None:
    """Let ``connections.close_all()`` pass on the event loop, where nothing is open."""
    if wrapper.connection is not None:
        _check_access(wrapper)


def _overridden_methods(engine: type) -> dict[str, Callable[..., Any]]:
    """Return the methods of an engine that override guarded ones and have no guard themselves."""
    above_base = engine.__mro__[: engine.__mro__.index(BaseDatabaseWrapper)]
    guarded = {*_OF_DJANGOS_BASE, *(name for owner in above_base for name in _undecorated(owner))}
    own = {name for owner in above_base for name in vars(owner)}
    return {name: getattr(engine, name) for name in guarded & own}


def _preparing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def prepare(self: Any, *args: Any, **kwargs: Any) -> Any:
        with preparing():
            return function(self, *args, **kwargs)

    return prepare


def preparing_methods(engine: Any) -> dict[str, Callable[..., Any]]:
    """Return an engine's own methods that make cursors, made free to change the session.

    They do so for each cursor, as ``_cursor`` of django-tenants does.
    """
    undecorated = _undecorated(engine)
    return {
        name: _preparing(undecorated.get(name, getattr(engine, name)))
        for name in MAKERS
        if getattr(engine, name) is not getattr(DatabaseWrapper, name)
    }


@functools.lru_cache(maxsize=16)
def bridged_class(engine: Any) -> type[BridgedWrapper]:
    """Return the engine's wrapper class, safe on the event loop if and only if in the bridge."""
    # Where our check stands before a method, Django's guard need not be asked as well.
    methods = {**_async_unsafe_methods(engine), **preparing_methods(engine)}
    guarded: dict[str, Any] = {
        name: _guarded(function, _check_close if name == "close" else _check_access)
        for name, function in {**_overridden_methods(engine), **methods}.items()
        if name not in vars(BridgedWrapper)
    }
    guarded["Database"] = BridgedDriver(engine.Database)
    guarded["always_ensures"] = _overrides(engine, "ensure_connection")
    unguarded = type(f"Unguarded{engine.__name__}", (carrying_class(engine),), methods)
    # Named like the engine's, as it shows in the repr of compilers and wrappers.
    return type(engine.__name__, (BridgedWrapper, unguarded), guarded)


def _overrides(engine: type, name: str) -> bool:
    """Tell whether a class between an engine and Django's base has a method of its own."""
    above_base = engine.__mro__[: engine.__mro__.index(BaseDatabaseWrapper)]
    return any(name in vars(owner) for owner in above_base)


@functools.lru_cache(maxsize=16)
def unsupported_class(engine: Any) -> type[BaseDatabaseWrapper]:
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
    wrapper.home = _warm.setdefault(alias, [])
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
    wrapper = make_wrapper(alias)
    kind: Any = type(wrapper)
    # No operation ends in which this wrapper was used: what is set is looked at when it is set.
    body = {"__module__": kind.__module__, "__setattr__": setter_of(kind)}
    wrapper.__class__ = type(kind.__name__, (kind,), body)
    return wrapper


def take_wrapper(alias: str) -> BridgedWrapper:
    """Return a wrapper without a connection, a used one if there is one."""
    warm = _warm.get(alias)
    return warm.pop() if warm else make_wrapper(alias)


def wrapper_of_thread(wrappers: dict[str, Any], alias: str, thread: int) -> Any:
    """Return a thread's own wrapper of an alias, made by Django if it has none yet.

    Args:
        wrappers: those that the thread has.
        alias: the database alias.
        thread: the thread's identity. Django asks in which thread a wrapper was made.

    The thread and the loop that it waits for may both ask for the first time at once: there is one.
    """
    found = wrappers.get(alias)
    if found is None:
        made: Any = connections.create_connection(alias)
        adopt(made)
        made._thread_ident = thread
        found = wrappers.setdefault(alias, made)
    return found


def forget_wrappers() -> None:
    """Drop every warm wrapper, since settings that they remember have changed."""
    # Those still lent go home to a list that nobody looks into any more.
    _warm.clear()
    idle_wrapper.cache_clear()
    unsupported_wrapper.cache_clear()
    get_settings.cache_clear()
