"""Work that several fields of one request ask for at once is done once.

In synchronous execution the first field that needs the user loads it, and the others find it there.
Fields that run side by side would all load it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from turbo_orm import await_, in_bridge

_held: ContextVar[tuple[Turns, ...]] = ContextVar("turbo_orm_strawberry_turns", default=())


class Turns:
    """One job of the bridge at a time; the others give their connections back while they wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @contextlib.contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for the turn; give whether anybody else had it before.

        Outside the bridge nothing else runs meanwhile, and deeper in the work that has the turn
        it may be taken again.
        """
        held = _held.get()
        if self in held or not in_bridge():
            yield False
            return
        waited = self._lock.locked()
        # Whoever waits here must not keep the connection that the turn may be waiting for.
        await_(self._lock.acquire(), suspending=True)
        token = _held.set((*held, self))
        try:
            yield waited
        finally:
            _held.reset(token)
            self._lock.release()
