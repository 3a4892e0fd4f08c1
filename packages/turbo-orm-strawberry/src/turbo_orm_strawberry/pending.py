"""Fields that have begun and wait: each goes on, is awaited, or ends with its operation.

A coroutine does nothing until it is awaited. A field that runs in the bridge has begun, and may
hold a connection: it must not stand still while graphql-core awaits something else, such as the
next item of an asynchronous iterator; and when a sibling fails graphql-core 3.2 forgets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

# The loop itself keeps only weak references to tasks.
_ending: set[asyncio.Task[None]] = set()


class Pending:
    """The fields of an operation that are not finished yet."""

    __slots__ = ("_fields", "_looking")

    def __init__(self) -> None:
        self._fields: set[Field] = set()
        self._looking = False

    def added(self, rest: Coroutine[Any, Any, Any], awaitable: Any = None) -> Field:
        """Return a field for graphql-core to await.

        Args:
            rest: what gives its result.
            awaitable: what the resolver returned, if the rest has not begun to await it.
        """
        field = Field(self, rest, awaitable)
        self._fields.add(field)
        if not self._looking:
            self._looking = True
            # The tasks in which graphql-core awaits fields have taken their first step by then.
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._start_others)
        return field

    def discard(self, field: Field) -> None:
        """Forget a field that is finished."""
        self._fields.discard(field)

    def _start_others(self) -> None:
        self._looking = False
        for field in self._fields:
            field.start()

    def end(self) -> None:
        """Cancel the fields that are not finished: the operation is, so nobody wants them."""
        while self._fields:
            self._fields.pop().end()


class Field(Awaitable[Any]):
    """The rest of a field."""

    __slots__ = ("_awaitable", "_awaiting", "_ended", "_pending", "_rest", "_task")

    def __init__(self, pending: Pending, rest: Coroutine[Any, Any, Any], awaitable: Any) -> None:
        self._pending = pending
        self._rest = rest
        self._awaitable = awaitable
        # That of whoever awaits it, and one of its own if it was left alone.
        self._awaiting: asyncio.Task[Any] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._ended = False

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._ended:
            # graphql-core 3.3 awaits what it has forgotten, later, and ignores the result.
            raise asyncio.CancelledError
        self._awaiting = asyncio.current_task()
        try:
            return (yield from (self._task or self._rest).__await__())
        finally:
            self._pending.discard(self)

    def start(self) -> None:
        """Let it go on in a task of its own, if it has begun and nobody awaits it."""
        if self._awaiting is None and self._task is None and self._awaitable is None:
            self._task = asyncio.get_running_loop().create_task(self._rest)

    def end(self) -> None:
        """Cancel it."""
        self._ended = True
        if self._awaiting is not None:
            if self._awaiting is not asyncio.current_task():
                self._awaiting.cancel()
        elif self._awaitable is None:
            self._cancel()
        else:
            close = getattr(self._awaitable, "close", None)
            if close is not None:
                close()
            self._rest.close()

    def _cancel(self) -> None:
        loop = asyncio.get_running_loop()
        waiting = self._task or loop.create_task(self._rest)
        ending = loop.create_task(_cancelled(waiting))
        _ending.add(ending)
        ending.add_done_callback(_ending.discard)


async def _cancelled(waiting: asyncio.Task[Any]) -> None:
    """Cancel a task, and wait until it has cleaned up."""
    # It may still have to take its first step, to where it waits: before that there is no clean-up.
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    if not waiting.cancelled():
        # Its error was another field's to tell.
        waiting.exception()
