"""Work that several fields of one request ask for at once is done once.

In synchronous execution the first field that needs the user loads it, and the others find it there.
Fields that run side by side would all load it.
"""

from __future__ import annotations

import asyncio
import contextlib
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
        self._loading: dict[int, asyncio.Event] = {}

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
        while (load := self._loading.get(key)) is not None:
            await_(load.wait(), suspending=True)
        load = self._loading[key] = asyncio.Event()
        try:
            yield
        finally:
            del self._loading[key]
            load.set()
