"""Send what a synchronous iterator yields piece by piece, as it comes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.http import FileResponse
from django.http.response import HttpResponseBase

from ..bridge import await_thread
from ..leases.request_thread import has_thread
from .modes import awaitable

END = object()
# Where a response keeps its asynchronous iterators.
STREAMS = "_turbo_orm_streams"


def is_synchronous_stream(response: HttpResponseBase) -> bool:
    """Tell whether Django would collect the body in a thread before it sends any of it."""
    return response.streaming and not getattr(response, "is_async", False)


def remember_stream(response: Any, iterator: Any) -> None:
    """Note that the body of a response comes from an asynchronous iterator.

    Args:
        response: a ``StreamingHttpResponse``.
        iterator: reads from the one before, if there is one.
    """
    vars(response).setdefault(STREAMS, []).append(iterator)


@asynccontextmanager
async def closed_streams(response: HttpResponseBase) -> AsyncIterator[None]:
    """Close the asynchronous iterators of a response at the end, in the task that reads them.

    Args:
        response: of any kind.
    """
    async with AsyncExitStack() as stack:
        for iterator in vars(response).get(STREAMS, ()):
            if hasattr(iterator, "aclose"):
                stack.push_async_callback(iterator.aclose)
        yield


def pieces(response: Any) -> AsyncGenerator[bytes, None]:
    """Return the body of a response over a synchronous iterator, one piece after another.

    Args:
        response: a ``StreamingHttpResponse`` or ``FileResponse``.

    Returns:
        A generator. Where the request has a thread, because its view ran there, the iterator runs
        there too. A file that is not in memory is read in a thread of its own. Any other iterator
        runs in the bridge, so that it may query.
    """
    return _pieces(iter(response.streaming_content), _following(response))


async def _pieces(iterator: Any, following: Callable[..., Any]) -> AsyncGenerator[bytes, None]:
    while (piece := await following(iterator)) is not END:
        yield piece
        # A server waits only when its buffer is full; other requests want their turn before.
        await asyncio.sleep(0)


def _following(response: Any) -> Callable[..., Any]:
    if has_thread():
        return sync_to_async(_next, thread_sensitive=True)
    if isinstance(response, FileResponse) and not _is_in_memory(response.file_to_stream):
        return awaitable(_next_in_thread)
    return awaitable(_next)


def _next(iterator: Any) -> Any:
    return next(iterator, END)


def _next_in_thread(iterator: Any) -> Any:
    return await_thread(_next, iterator)


def _is_in_memory(file: Any) -> bool:
    return isinstance(getattr(file, "file", file), io.BytesIO)
