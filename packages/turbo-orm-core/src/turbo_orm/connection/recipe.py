"""How the pool of an alias is opened, from Django's settings and through Django's own code."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import AsyncConnection

from ..bridge import run_sync
from ..conf import get_settings
from ..pool import Parameters, PooledConnection, PoolRecipe
from .carried import collecting
from .connecting import has_own_parameters, new_connection
from .content_types import remember_content_types
from .cursors import take_cursor_factory
from .engine import ASYNC_ENGINE, engine_class, make_wrapper, require_postgresql
from .facade import KEEPER, NOBODY, BridgedConnection
from .lessor import lessor
from .threads import is_unsteady

# Ours, or Django's, whatever OPTIONS["pool"] says.
RESERVED_OPTIONS = frozenset(
    {"kwargs", "open", "connection_class", "name", "configure", "check", "reset"}
)


def recipe_of(alias: str) -> PoolRecipe:
    """Return how to open the pool of an alias.

    Raises:
        ImproperlyConfigured: its engine cannot be awaited, or its settings make no sense.
    """
    require_postgresql(alias)
    _require_isolation_level(alias)
    if not _is_asked_each_time(alias):
        try:
            connection_parameters(alias)
        except ImproperlyConfigured as error:
            # Django's frames hold the settings with the password; the message says all.
            raise error.with_traceback(None) from None
    given = _pool_options(alias)
    options = {name: value for name, value in given.items() if name not in RESERVED_OPTIONS}
    check = given.get("check", _default_check(alias))
    if check is not None:
        options["check"] = _as_async(check)
    if given.get("reset") is not None:
        options["reset"] = _as_async(given["reset"])
    return PoolRecipe(
        alias=alias,
        connect=functools.partial(run_sync, _open, alias),
        options=options,
        configure=functools.partial(_configure, alias, given.get("configure")),
        cleanup_timeout=get_settings().CLEANUP_TIMEOUT,
        reset_sessions=get_settings().RESET_SESSIONS,
    )


def _is_asked_each_time(alias: str) -> bool:
    return not _is_async_engine(alias) and has_own_parameters(engine_class(alias))


def _is_async_engine(alias: str) -> bool:
    return bool(connections.settings[alias]["ENGINE"] == ASYNC_ENGINE)


def connection_parameters(alias: str) -> Parameters:
    """Return what psycopg connects with, as the engine computes it."""
    wrapper: Any
    if _is_async_engine(alias):
        from django_async_backend.db import async_connections

        wrapper = async_connections.create_connection(alias)
    else:
        wrapper = engine_class(alias)(connections.settings[alias], alias)
    _keep_pool_to_ourselves(wrapper)
    check: Callable[[], None] = getattr(wrapper, "check_settings", lambda: None)
    check()
    options = wrapper.settings_dict["OPTIONS"]
    parameters = Parameters(wrapper.get_connection_params())
    # That of django-async-backend names an asynchronous cursor.
    parameters["cursor_factory"] = take_cursor_factory(parameters, options)
    return parameters


def _keep_pool_to_ourselves(wrapper: Any) -> None:
    # Before Django 5.1 the engine would hand "pool" on to psycopg, which does not know it.
    settings = wrapper.settings_dict
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    wrapper.settings_dict = {**settings, "OPTIONS": options}


def _open(alias: str) -> PooledConnection:
    """Open a connection as the engine does it."""
    with _private_wrapper(alias) as wrapper:
        _keep_pool_to_ourselves(wrapper)
        wrapper.check_settings()
        parameters = connection_parameters(alias) if _is_async_engine(alias) else None
        with collecting(wrapper) as attributes:
            facade = new_connection(wrapper, parameters)
    facade.engine_attributes = attributes
    return cast(PooledConnection, facade.source)


@contextlib.contextmanager
def _private_wrapper(alias: str) -> Iterator[Any]:
    """Make a wrapper that is the running job's for as long as a connection is prepared."""
    wrapper = make_wrapper(alias)
    with lessor.replaced(wrapper):
        yield wrapper


def _pool_options(alias: str) -> dict[str, Any]:
    given = get_settings().POOL.get(alias)
    if given is None:
        given = connections.settings[alias]["OPTIONS"].get("pool")
    if given is None or given is True or given is False:
        return {}
    if not isinstance(given, dict):
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS']['pool'] is {given!r}; it must be True or a "
            "dictionary of psycopg_pool options such as {'min_size': 2, 'max_size': 10}."
        )
    return dict(given)


def _default_check(alias: str) -> Callable[..., Any] | None:
    enabled = connections.settings[alias]["CONN_HEALTH_CHECKS"]
    return _check_alive if enabled else None


async def _check_alive(connection: AsyncConnection[Any]) -> None:
    await connection.execute("")


def _as_async(function: Callable[[Any], Any]) -> Callable[[AsyncConnection[Any]], Any]:
    """Let a callback written for a synchronous pool run in the bridge, on the facade."""
    if inspect.iscoroutinefunction(inspect.unwrap(function)) or inspect.iscoroutinefunction(
        getattr(function, "__func__", None)
    ):
        return function

    async def call_with_facade(connection: Any) -> None:
        await run_sync(_with_private_lease, connection.facade, function)

    return call_with_facade


def _with_private_lease(facade: BridgedConnection, function: Callable[[Any], Any]) -> None:
    facade.lessee = KEEPER
    try:
        function(facade)
    finally:
        facade.lessee = NOBODY


async def _configure(
    alias: str, further: Callable[[Any], Any] | None, source: PooledConnection
) -> None:
    await run_sync(_prepare, alias, source.facade, source.prepared)
    if further is not None:
        await _as_async(further)(source)
        source.facade.remember_attributes()


def _prepare(alias: str, facade: BridgedConnection, again: bool) -> None:
    """Bring a new session into the state that Django expects: time zone, role, type adapters.

    Args:
        alias: the database alias.
        facade: the connection.
        again: whether the session was prepared before, and reset since.
    """
    facade.turbo_unsteady = is_unsteady(connections.settings[alias])
    # Of a session that is reset: the receivers below add theirs anew.
    facade.execute_wrappers = []
    facade.remember_session()
    with _private_wrapper(alias) as wrapper:
        wrapper.take(facade)
        try:
            with collecting(wrapper) as attributes:
                with wrapper.wrap_database_errors:
                    if again:
                        facade.repeat_changes_of_engine()
                    wrapper.init_connection_state()
                # Receivers know the engine's own class as the sender, not ours made from it.
                sender: type[BaseDatabaseWrapper] = engine_class(alias)
                connection_created.send(sender=sender, connection=wrapper)
            facade.engine_attributes = {**facade.engine_attributes, **attributes}
            own_hooks, facade.execute_wrappers = facade.execute_wrappers, []
            # Not the project's queries: its hooks need not see them.
            remember_content_types(alias)
            facade.execute_wrappers = own_hooks
        finally:
            facade.lessee = NOBODY
            facade.turbo_session.marked = False
            facade.watch_cursors()
            facade.remember_attributes()
            wrapper.connection = None


def _require_isolation_level(alias: str) -> None:
    value = connections.settings[alias]["OPTIONS"].get("isolation_level")
    try:
        if value is not None:
            psycopg.IsolationLevel(value)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS']['isolation_level'] is {value!r}, which is no "
            "transaction isolation level. Use one of the psycopg.IsolationLevel values."
        ) from error
