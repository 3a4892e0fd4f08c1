"""How the pool of an alias is opened, from Django's settings and through Django's own code."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import AsyncConnection

from ..bridge import run_sync
from ..conf import get_settings
from ..pool import Parameters, PoolRecipe
from .content_types import remember_content_types
from .cursors import take_cursor_factory
from .engine import ASYNC_ENGINE, engine_class, make_wrapper, require_postgresql
from .facade import KEEPER, NOBODY, BridgedConnection
from .lessor import lessor

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
    try:
        parameters = connection_parameters(alias)
    except ImproperlyConfigured as error:
        # Django's frames hold the settings with the password; the message says all.
        raise error.with_traceback(None) from None
    factory = take_cursor_factory(parameters, connections.settings[alias]["OPTIONS"])
    given = _pool_options(alias)
    options = {name: value for name, value in given.items() if name not in RESERVED_OPTIONS}
    check = given.get("check", _default_check(alias))
    if check is not None:
        options["check"] = _as_async(check)
    if given.get("reset") is not None:
        options["reset"] = _as_async(given["reset"])
    return PoolRecipe(
        alias=alias,
        connect_kwargs=parameters,
        options=options,
        configure=functools.partial(_configure, alias, factory, given.get("configure")),
        cleanup_timeout=get_settings().CLEANUP_TIMEOUT,
    )


def connection_parameters(alias: str) -> Parameters:
    """Return what psycopg connects with, as the engine computes it."""
    wrapper = _settings_wrapper(alias)
    wrapper_check: Callable[[], None] = getattr(wrapper, "check_settings", lambda: None)
    wrapper_check()
    return Parameters(wrapper.get_connection_params())


def _settings_wrapper(alias: str) -> Any:
    """Return a wrapper of the engine's, to be asked for what its settings mean."""
    settings = connections.settings[alias]
    # Before Django 5.1 the engine would hand "pool" on to psycopg, which does not know it.
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    if settings["ENGINE"] == ASYNC_ENGINE:
        from django_async_backend.db import async_connections

        wrapper: Any = async_connections.create_connection(alias)
        wrapper.settings_dict = {**settings, "OPTIONS": options}
        return wrapper
    return engine_class(alias)({**settings, "OPTIONS": options}, alias)


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

    async def bridged(connection: Any) -> None:
        await run_sync(_with_private_lease, connection.facade, function)

    return bridged


def _with_private_lease(facade: BridgedConnection, function: Callable[[Any], Any]) -> None:
    facade.lessee = KEEPER
    try:
        function(facade)
    finally:
        facade.lessee = NOBODY


async def _configure(
    alias: str,
    factory: type[psycopg.Cursor[Any]],
    further: Callable[[Any], Any] | None,
    source: AsyncConnection[Any],
) -> None:
    await run_sync(_prepare, alias, factory, source)
    if further is not None:
        await _as_async(further)(source)


def _prepare(alias: str, factory: type[psycopg.Cursor[Any]], source: Any) -> None:
    """Bring a new session into the state that Django expects: time zone, role, type adapters."""
    facade = source.facade = BridgedConnection(source, factory, get_settings().CLEANUP_TIMEOUT)
    level = _isolation_level(alias)
    if level is not None:
        _with_private_lease(facade, lambda facade: facade.set_isolation_level(level))
    facade.remember_session()
    wrapper = make_wrapper(alias)
    lessor.entrust(wrapper)
    wrapper.take(facade)
    try:
        with wrapper.wrap_database_errors:
            wrapper.init_connection_state()
        # The sender that receivers know is the engine's own class, not ours made from it.
        sender: type[BaseDatabaseWrapper] = engine_class(alias)
        connection_created.send(sender=sender, connection=wrapper)
        own_hooks, facade.execute_wrappers = facade.execute_wrappers, []
        # Not the project's queries: its hooks need not see them.
        remember_content_types(alias)
        facade.execute_wrappers = own_hooks
    finally:
        facade.lessee = NOBODY
        wrapper.connection = None


def _isolation_level(alias: str) -> Any:
    value = connections.settings[alias]["OPTIONS"].get("isolation_level")
    if value is None:
        return None
    try:
        return psycopg.IsolationLevel(value)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"DATABASES[{alias!r}]['OPTIONS']['isolation_level'] is {value!r}, which is no "
            "transaction isolation level. Use one of the psycopg.IsolationLevel values."
        ) from error
