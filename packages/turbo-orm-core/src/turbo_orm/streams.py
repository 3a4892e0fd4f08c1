"""What a response is streamed from: rows of any source, in chunks, that end with the response.

For adapters: each framework has its own way to write rows, but reads and ends them alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any, NamedTuple, TypeVar

from django.db.models import Manager, QuerySet

from .bridge import await_, in_bridge

T = TypeVar("T")

# How many rows of a queryset are fetched, written and sent at once.
CHUNK = 100


class Source(NamedTuple):
    """Where the items of a stream come from.

    Args:
        items: one after another.
        live: whether an item may come long after the one before, so that none should wait for it.
    """

    items: AsyncIterator[Any]
    live: bool


async def source_of(
    given: Any,
    optimize: Callable[[Any], Any] | None = None,
    *,
    chunk_size: int = CHUNK,
) -> Source:
    """Return the items of whatever a view or an operation gives to be streamed.

    Args:
        given: a queryset or manager, which is read by a server-side cursor, an asynchronous
            iterable, such as a generator of events, any iterable, or an awaitable of one of these.
        optimize: is given the queryset, if it is one, and returns what is read in its place.
        chunk_size: how many rows of a queryset are fetched at once.

    Returns:
        The items, to be read within ``closing()``. Nothing is queried before.

    Raises:
        TypeError: what was given cannot be iterated over.
    """
    if isawaitable(given):
        given = await given
    if isinstance(given, Manager):
        given = given.all()
    if isinstance(given, QuerySet):
        rows = given if optimize is None else optimize(given)
        return Source(rows.aiterator(chunk_size), live=False)
    if hasattr(given, "__aiter__"):
        return Source(aiter(given), live=True)
    return Source(_each(iter(given)), live=False)


async def _each(items: Iterable[T]) -> AsyncGenerator[T, None]:
    for item in items:
        yield item


@asynccontextmanager
async def closing(items: T) -> AsyncGenerator[T, None]:
    """Close an asynchronous iterator at the end of the block, if that can be done.

    Args:
        items: an asynchronous generator, or an iterator of a project's own.

    The counterpart of ``contextlib.aclosing`` for iterators that may have no ``aclose()``.
    """
    try:
        yield items
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


async def chunks_of(items: AsyncIterator[T], size: int = CHUNK) -> AsyncGenerator[list[T], None]:
    """Yield items in lists, and close their iterator in the end.

    Args:
        items: of any number.
        size: how many are in a list; the last may have fewer.
    """
    async with closing(items):
        chunk: list[T] = []
        async for item in items:
            chunk.append(item)
            if len(chunk) >= size:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def end_stream(
    aclose: Callable[[], Coroutine[Any, Any, None]], loop: asyncio.AbstractEventLoop | None
) -> None:
    """End a stream now, wherever its response is closed.

    Args:
        aclose: closes it, and gives its connection back.
        loop: the event loop on which it is read, None if nobody has begun to.

    For the ``close()`` of a response's body: Django calls it in the bridge, or in a thread, and
    closes no asynchronous iterator by itself. Its connection would be kept until it is collected.
    """
    if in_bridge():
        await_(aclose())
    elif loop is not None and not loop.is_closed():
        asyncio.run_coroutine_threadsafe(aclose(), loop)
