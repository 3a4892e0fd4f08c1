"""Make a session that somebody changed equal to a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from .connection import PooledConnection, finish

# What RESET_SESSIONS may say, beside "auto" and False.
ALWAYS = "always"


def must_be_reset(connection: Any, mode: str | bool) -> bool:
    """Tell whether a connection that comes back must be reset before it is lent again.

    Args:
        connection: one of a pool.
        mode: ``"auto"``: if a statement may have changed the session; ``"always"``; or False.
    """
    facade = connection.facade
    if facade is None:
        return False
    session = facade.turbo_session
    wanted = session.doubtful or (session.marked and bool(mode)) or mode == ALWAYS
    return bool(wanted) and not connection.closed


async def reset(
    connection: PooledConnection,
    configure: Callable[[PooledConnection], Awaitable[None]],
    grace: float,
) -> None:
    """Discard all that a session holds, and prepare it as a new one.

    Args:
        connection: idle, and lent to nobody else.
        configure: prepares a new connection.
        grace: seconds after which the server is asked to cancel; after as many again the
            connection is closed.

    Raises:
        Error: the server refused, or did not answer in time.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    # The server is asked to cancel; if that has no answer either, there is nobody to wait for.
    timers = [
        loop.call_later(grace, task.cancel),
        loop.call_later(2 * grace, _cut, connection, task),
    ]
    try:
        # psycopg forgets its prepared statements when it sees this succeed.
        await psycopg.AsyncClientCursor(connection).execute("DISCARD ALL")
        connection.facade.turbo_session.forget()
        await configure(connection)
    finally:
        for timer in timers:
            timer.cancel()


def _cut(connection: PooledConnection, task: asyncio.Task[Any]) -> None:
    finish(connection)
    task.cancel()
