"""What is logged of a database that refuses connections: one message per outage, one at its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from .connection import PooledConnection

logger = logging.getLogger("turbo_orm")

# Before the alias in the names of our pools, which psycopg_pool puts into its messages.
POOL_NAME = "turbo_orm:"


class Outage:
    """A database that refused a connection.

    Args:
        began: seconds, of the clock of ``Outages``.
        open_connections: how many the pool had meanwhile.
    """

    def __init__(self, began: float, open_connections: int) -> None:
        self.began = began
        self.open_connections = open_connections
        # Whether connections came since, none of which the database had not given before.
        self.served = False


class Outages:
    """Decides which failures to connect are news, and which connection ends an outage.

    A role with a limit gives a pool one connection and refuses the second: no later pool that also
    gets one shows that the limit is gone. An outage ends when more connections are open than when
    it began.

    Args:
        clock: tells the seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._outages: dict[str, Outage] = {}

    def note_refusal(self, alias: str, open_connections: int) -> bool:
        """Take note of a failure to connect; return True if it begins an outage, or worsens it.

        Args:
            alias: the database alias.
            open_connections: how many the pool has.
        """
        outage = self._outages.get(alias)
        if outage is None:
            self._outages[alias] = Outage(self._clock(), open_connections)
            return True
        news = outage.served and open_connections < outage.open_connections
        if news:
            self._outages[alias] = Outage(self._clock(), open_connections)
        outage.open_connections = min(open_connections, outage.open_connections)
        return news

    def note_connection(self, alias: str, open_connections: int) -> float | None:
        """Take note of a new connection; return the seconds of the outage that it ends, or None.

        Args:
            alias: the database alias.
            open_connections: how many the pool has, with this one.
        """
        outage = self._outages.get(alias)
        if outage is None:
            return None
        if open_connections <= outage.open_connections:
            outage.served = True
            return None
        seconds = self._clock() - outage.began
        # Not `del`: a loop of another thread may end the same outage.
        self._outages.pop(alias, None)
        return seconds

    def clear(self) -> None:
        """Forget every outage."""
        self._outages.clear()


# Of the process: pools are closed and made anew while the database is away.
outages = Outages()


def log_refusal(alias: str, open_connections: int, error: BaseException) -> None:
    """Log a failure to connect, unless it is one more of the same outage.

    Args:
        alias: the database alias.
        open_connections: how many connections the pool has.
        error: why there is not one more.
    """
    if not outages.note_refusal(alias, open_connections):
        return
    reason = str(error) or type(error).__name__
    if open_connections:
        logger.warning(
            "Cannot open more connections to database %r, %d open: %s",
            *(alias, open_connections, reason),
        )
    else:
        logger.error("Cannot connect to database %r: %s", alias, reason)


def log_connection(alias: str, open_connections: int) -> None:
    """Log that an outage has ended, if a new connection shows it.

    Args:
        alias: the database alias.
        open_connections: how many connections the pool has, with the new one.
    """
    seconds = outages.note_connection(alias, open_connections)
    if seconds is not None:
        logger.warning("Database %r accepts connections again, after %.1f s", alias, seconds)


def log_failed_reset(alias: str, error: Exception) -> None:
    """Log that a connection was closed because its session could not be made like new.

    Args:
        alias: the database alias.
        error: why.
    """
    logger.warning(
        "Closed a connection of database %r: its session could not be reset: %s", alias, error
    )


class DemoteRepetitions(logging.Filter):
    """Makes what psycopg_pool warns of, connection by connection and attempt by attempt, DEBUG.

    Only for our pools, and only what ``log_refusal`` or the error of a query says already.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is handled."""
        if record.levelno < logging.WARNING or not isinstance(record.args, tuple):
            return True
        first, *others = record.args or (None,)
        if not _is_repetition(first):
            return True
        if any(isinstance(other, asyncio.CancelledError) for other in others):
            # The loop ends while the pool is growing: psycopg_pool takes that for a failure.
            return False
        record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


def _is_repetition(subject: object) -> bool:
    """Tell whether a message is about connecting in a pool of ours, or a connection it lost."""
    if isinstance(subject, PooledConnection):
        return subject.closed
    return isinstance(subject, str) and subject.startswith(POOL_NAME)


logging.getLogger("psycopg.pool").addFilter(DemoteRepetitions())
