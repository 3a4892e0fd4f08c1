"""The one seam where a planned statement is executed: directly, or as Django does if observed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.postgresql.base import Cursor, ServerBindingCursor
from psycopg import AsyncClientCursor, AsyncCursor
from psycopg.pq import TransactionStatus

from ..bridge import await_holding, in_bridge, run_sync
from ..connection.context import context_hooks, find_query_log
from ..connection.engine import idle_wrapper
from ..connection.kept import kept_here
from ..connection.watched import execute_with_settings, watched
from ..leases.lending import holds_connection, may_borrow
from ..pool import get_pool
from .guards import guard_of_cursors
from .plan import Plan

IDLE = TransactionStatus.IDLE

# Django's two kinds of cursor, and psycopg's asynchronous ones that bind parameters alike.
CURSORS: dict[Any, Any] = {
    watched(Cursor): AsyncClientCursor,
    watched(ServerBindingCursor): AsyncCursor,
}


class Statement(NamedTuple):
    """A statement ready to be executed.

    Args:
        plan: what it was made by.
        values: what it was made of.
        params: what is sent with the plan's SQL.
    """

    plan: Plan
    values: tuple[Any, ...]
    params: Sequence[Any]

    def as_django(self) -> tuple[str, Sequence[Any]]:
        """Return SQL and parameters as Django writes them, for whoever observes."""
        plan = self.plan
        if plan.limits is None:
            return plan.sql, plan.container(self.params)
        params = plan.bind_as_django(self.values)
        return plan.sql_as_django(self.values), plan.container(params)


async def execute(alias: str, statement: Statement) -> Any:
    """Execute a statement on a connection of its own, or the transaction's.

    Args:
        alias: the database alias.
        statement: what to execute.

    Returns:
        All rows, or how many rows were changed by a statement that returns none.

    Raises:
        DatabaseError: the database refused the statement, as Django's error.
    """
    if may_execute_directly(alias):
        return await _execute_directly(alias, statement)
    return await run_sync(execute_as_django, alias, statement)


async def _execute_directly(alias: str, statement: Statement) -> Any:
    pool = get_pool(alias)
    source: Any = await pool.lend()
    try:
        facade = source.facade
        cursor_class = CURSORS.get(facade.cursor_factory)
        if cursor_class is not None and not facade.execute_wrappers:
            cursor = cursor_class(source)
            if facade.turbo_session.needs_change():
                await execute_with_settings(cursor, statement.plan.sql, statement.params)
            else:
                await cursor.execute(statement.plan.sql, statement.params)
            return cursor.rowcount if cursor.rownumber is None else await cursor.fetchall()
    except psycopg.Error:
        with idle_wrapper(alias).wrap_database_errors:
            raise
    finally:
        # A statement that was interrupted may still run.
        if source.pgconn.transaction_status == IDLE:
            pool.take_back(source)
        else:
            pool.discard(source)
    # This connection has observers of its own.
    return await run_sync(execute_as_django, alias, statement)


def may_execute_directly(alias: str) -> bool:
    """Tell whether this context may borrow a connection, and nobody watches its statements."""
    if is_observed(alias) or not may_borrow(alias) or not is_in_autocommit(alias):
        return False
    return kept_here(alias) is None


def execute_in_bridge(alias: str, statement: Statement) -> Any:
    """Execute a statement on the connection that this job holds, or on one for it alone."""
    if in_bridge() and not holds_connection(alias) and may_execute_directly(alias):
        return await_holding(_execute_directly(alias, statement))
    return execute_as_django(alias, statement)


def execute_as_django(alias: str, statement: Statement) -> Any:
    """Execute a statement through Django's cursor, with all that observes it."""
    with connections[alias].cursor() as cursor:
        cursor.execute(*statement.as_django())
        return cursor.rowcount if cursor.rownumber is None else cursor.fetchall()


def is_observed(alias: str) -> bool:
    """Tell whether somebody watches the statements of this context."""
    if settings.DEBUG or context_hooks(alias):
        return True
    log = find_query_log(alias)
    if log is not None and log.forced:
        return True
    # Engines have cursors of their own; Sentry puts functions in the place of Django's.
    return not guard_of_cursors(alias)()


@functools.lru_cache(maxsize=64)
def is_in_autocommit(alias: str) -> bool:
    """Tell whether the settings leave each statement a transaction of its own."""
    return connections.settings[alias]["AUTOCOMMIT"] is True


def _forget(**kwargs: Any) -> None:
    is_in_autocommit.cache_clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.plan.execute")
