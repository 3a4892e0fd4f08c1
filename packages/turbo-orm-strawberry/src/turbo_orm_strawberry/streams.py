"""Asynchronous iterators whose every step runs in the bridge: subscriptions, streamed lists."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from inspect import isawaitable
from typing import Any, TypeVar

from turbo_orm import portal

from .operation import Operation

T = TypeVar("T")


class BridgedStream(AsyncIterator[T]):
    """An asynchronous iterator whose code may use the ORM in any way.

    Args:
        source: usually an asynchronous generator.
        operation: whose work it is.

    Between two steps it has no connection, unless it holds a transaction or a cursor open.
    """

    def __init__(self, source: AsyncIterable[T], operation: Operation) -> None:
        self._source: Any = source.__aiter__()
        self._operation = operation

    def __aiter__(self) -> BridgedStream[T]:
        return self

    async def __anext__(self) -> T:
        return await self._step(self._source.__anext__)

    async def aclose(self) -> None:
        """End the iterator, whose clean-up may query too."""
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await self._step(close)

    async def _step(self, step: Callable[[], Awaitable[T]]) -> T:
        return await portal(self._driven(step))

    async def _driven(self, step: Callable[[], Awaitable[T]]) -> T:
        with self._operation.entered():
            return await step()


async def opened(subscribe: Callable[[], Any], operation: Operation) -> Any:
    """Call the resolver of a subscription in the bridge, and give its stream of events.

    Args:
        subscribe: calls the resolver.
        operation: whose work it is.
    """

    async def subscribe_in_bridge() -> Any:
        with operation.entered():
            stream = subscribe()
            return await stream if isawaitable(stream) else stream

    stream = await portal(subscribe_in_bridge())
    return BridgedStream(stream, operation) if isinstance(stream, AsyncIterable) else stream
