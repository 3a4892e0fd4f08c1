"""Work that several fields of one request ask for at once is done once.

In synchronous execution the first field that needs the user loads it, and the others find it there.
Fields that run side by side would all load it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

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


class Loads:
    """One field at a time of those that may load what their object keeps.

    ``author`` and ``authorName``, or one field under two aliases, would load the author of one
    article twice; in synchronous execution the second finds what the first has loaded. A field
    waits before it has a connection, so that no load waits for it.
    """

    __slots__ = ("_loading",)

    def __init__(self) -> None:
        # Of each object that a field loads for: the fields that wait, the first to come first.
        self._loading: dict[int, deque[asyncio.Future[None]]] = {}

    @contextlib.contextmanager
    def turn(self, instance: Any) -> Iterator[None]:
        """Wait until no other field loads what the object keeps.

        Args:
            instance: the object, None for a field that loads nothing of the kind.
        """
        if instance is None or not in_bridge():
            yield
            return
        # Whoever loads has the object, so that no other has its number.
        key = id(instance)
        waiting = self._loading.get(key)
        if waiting is None:
            self._loading[key] = deque()
        else:
            self._wait_among(waiting, key)
        try:
            yield
        finally:
            self._hand_on(key)

    def _wait_among(self, waiting: deque[asyncio.Future[None]], key: int) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(mine)
        try:
            await_(mine, suspending=True)
        except BaseException:
            if mine.done() and not mine.cancelled():
                # It was given the turn at the moment in which it was cancelled.
                self._hand_on(key)
            mine.cancel()
            raise

    def _hand_on(self, key: int) -> None:
        """Give the turn to the next field alone: if all woke, each would wake all the others."""
        waiting = self._loading[key]
        while waiting:
            following = waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        del self._loading[key]
