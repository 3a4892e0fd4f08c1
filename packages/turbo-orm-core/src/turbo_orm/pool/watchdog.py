"""A safety net: look once a second after the sockets that an event loop watches for a pool.

A statement whose answer has come although its event loop does not say so is woken. No event loop is
known to need that: it would be an error of the loop or of `watch`, so it is counted and logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

from .connection import PooledConnection
from .watch import Watch

logger = logging.getLogger("turbo_orm")

# Seconds between two looks.
INTERVAL = 1.0
# A loop that was busy may not have noticed yet. One round is enough for that.
ROUNDS = 3
MISSED = (
    "An event loop of %s did not notice for up to %g s that database %r had answered, and the "
    "statement was woken. Please report this, with the versions of Python and of the event loop."
)

# How many statements had to be woken, by alias.
missed_wakeups: Counter[str] = Counter()


class Watchdog:
    """Looks at the sockets of a pool's connections once a second.

    Args:
        alias: the database alias.
        connections: those of the pool; may change.
        loop: the event loop that the pool belongs to.
    """

    def __init__(
        self,
        alias: str,
        connections: Iterable[PooledConnection],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._alias = alias
        self._connections = connections
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look once a second until `stop` or the end of the loop."""
        self._timer = self._loop.call_later(INTERVAL, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self.start()
        for connection in list(self._connections):
            if connection.closed:
                # Perhaps by others than us; psycopg looks for that too while it waits.
                connection.unwatch()
            elif (waiting := connection.waiting_statement) is not None:
                self._check(*waiting, ROUNDS)

    def _check(self, watch: Watch, waiter: asyncio.Future[None], rounds: int) -> None:
        """Wake a statement whose socket can be read and whose loop does not say so for a while."""
        if watch.waiter is not waiter or waiter.done() or not watch.has_input():
            return
        if rounds:
            self._loop.call_soon(self._check, watch, waiter, rounds - 1)
            return
        missed_wakeups[self._alias] += 1
        logger.warning(MISSED, type(self._loop).__module__, INTERVAL, self._alias)
        # The next statement begins another watch.
        watch.end()
