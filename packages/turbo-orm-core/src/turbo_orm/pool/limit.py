"""How many connections one piece of work may have at once: a request, say, of many fields."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextvars import ContextVar

from django.db.utils import OperationalError

_current: ContextVar[ConnectionLimit | None] = ContextVar("turbo_orm_limit", default=None)


class ConnectionLimit:
    """Lets the code that runs under it borrow so many connections of each alias at once.

    Args:
        maximum: how many; the next operation waits until one is given back, as long as the pool's
            timeout says. A transaction has one, however many tasks use it.
    """

    __module__ = "turbo_orm"

    def __init__(self, maximum: int) -> None:
        if maximum < 1:
            raise ValueError(f"ConnectionLimit({maximum!r}) would let nobody have a connection.")
        self.maximum = maximum
        self._used: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[None]]] = defaultdict(deque)

    @contextlib.contextmanager
    def apply(self) -> Iterator[None]:
        """Let the limit hold for the block, and for the tasks that are started in it.

        Several blocks, one after another or at once, share one limit.
        """
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def is_reached(self, alias: str) -> bool:
        """Tell whether the next operation would wait.

        Args:
            alias: the database alias.
        """
        return self._used[alias] >= self.maximum or bool(self._waiting[alias])

    async def acquire(self, alias: str, timeout: float) -> None:
        """Wait until one more connection may be borrowed; first come, first served.

        Args:
            alias: the database alias.
            timeout: seconds that this may take.

        Raises:
            OperationalError: it took longer.
        """
        if not self.is_reached(alias):
            self._used[alias] += 1
            return
        waiting = self._waiting[alias]
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        waiting.append(turn)
        alarm = loop.call_later(timeout, self._give_up, turn, alias, timeout)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                # The turn came and the cancellation with it.
                self.release(alias)
            raise
        finally:
            alarm.cancel()
            if turn in waiting:
                waiting.remove(turn)

    def release(self, alias: str) -> None:
        """Give a connection's place to whoever has waited longest for it.

        Args:
            alias: the database alias.
        """
        waiting = self._waiting[alias]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._used[alias] -= 1

    def _give_up(self, turn: asyncio.Future[None], alias: str, timeout: float) -> None:
        if not turn.done():
            turn.set_exception(
                OperationalError(
                    f"No connection of database {alias!r} came within {timeout:g} s: the "
                    f"{self.maximum} that this ConnectionLimit allows are all in use. Raise it, or "
                    "hold connections for a shorter time."
                )
            )


def current_limit() -> ConnectionLimit | None:
    """Return the limit that this code runs under."""
    return _current.get()
