"""Fields that have begun and wait: each is awaited, or ended with its operation.

When a field fails, graphql-core 3.2 forgets its siblings that it was going to await. A coroutine
would not have begun; a field that runs in the bridge has, and holds a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

# The loop itself keeps only weak references to tasks.
_ending: set[asyncio.Task[None]] = set()


class Pending:
    """The fields of an operation that nobody awaits yet."""

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        self._fields: set[Field] = set()

    def added(self, rest: Coroutine[Any, Any, Any], awaitable: Any = None) -> Field:
        """Return a field for graphql-core to await.

        Args:
            rest: what gives its result.
            awaitable: what the resolver returned, if the rest has not begun to await it.
        """
        field = Field(self, rest, awaitable)
        self._fields.add(field)
        return field

    def discard(self, field: Field) -> None:
        """Leave a field to whoever awaits it."""
        self._fields.discard(field)

    def end(self) -> None:
        """Cancel the fields that nobody has awaited; no one will."""
        while self._fields:
            self._fields.pop().end()


class Field(Awaitable[Any]):
    """The rest of a field."""

    __slots__ = ("_awaitable", "_ended", "_pending", "_rest")

    def __init__(self, pending: Pending, rest: Coroutine[Any, Any, Any], awaitable: Any) -> None:
        self._pending = pending
        self._rest = rest
        self._awaitable = awaitable
        self._ended = False

    def __await__(self) -> Generator[Any, Any, Any]:
        self._pending.discard(self)
        if self._ended:
            # graphql-core 3.3 awaits what it has forgotten, later, and ignores the result.
            raise asyncio.CancelledError
        return self._rest.__await__()

    def end(self) -> None:
        """Cancel the rest."""
        self._ended = True
        if self._awaitable is not None:
            close = getattr(self._awaitable, "close", None)
            if close is not None:
                close()
            self._rest.close()
            return
        task = asyncio.get_running_loop().create_task(_cancelled(self._rest))
        _ending.add(task)
        task.add_done_callback(_ending.discard)


async def _cancelled(rest: Coroutine[Any, Any, Any]) -> None:
    """Throw a cancellation into what waits, and wait until it has cleaned up."""
    waiting = asyncio.ensure_future(rest)
    # It takes its first step, to where it waits.
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    if not waiting.cancelled():
        # Its error was the other field's to tell.
        waiting.exception()
