"""Work that is done where a connection is at home: on an event loop, or in a caller's thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import psycopg

from ..cancellation import merged
from ..tasks import start_task

T = TypeVar("T")

# Seconds after which a thread that waits for a loop looks whether that loop still exists.
GLANCE = 1.0


def run_on(
    loop: asyncio.AbstractEventLoop, function: Callable[..., Coroutine[Any, Any, T]], *args: Any
) -> T:
    """Run a coroutine function on a loop that waits for this thread, and wait for its result.

    Args:
        loop: runs in another thread.
        function: the coroutine function.
        *args: its arguments.

    Returns:
        What the coroutine returns.

    Raises:
        InterfaceError: the loop has ended, or ends before the coroutine does.
        BaseException: whatever the coroutine raises.
    """
    if loop.is_closed():
        raise _loop_ended()
    coroutine = function(*args)
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    except RuntimeError as error:
        coroutine.close()
        raise _loop_ended() from error
    while True:
        try:
            return future.result(GLANCE)
        except concurrent.futures.CancelledError as error:
            raise _loop_ended() from error
        except (TimeoutError, concurrent.futures.TimeoutError):
            if future.done():
                return future.result()
            if loop.is_closed():
                raise _loop_ended() from None


def _loop_ended() -> psycopg.InterfaceError:
    return psycopg.InterfaceError(
        "the event loop that this thread's connection belongs to has ended, and with it the "
        "`atomic` block that this thread was called from"
    )


async def completed(
    coroutine: Coroutine[Any, Any, T],
) -> tuple[T, asyncio.CancelledError | None]:
    """Wait for what must not be left half done, also while this task is being cancelled.

    Args:
        coroutine: runs in a task of its own.

    Returns:
        What the coroutine returns, and the cancellation that came meanwhile: raise it.

    Raises:
        CancelledError: the coroutine failed, and a cancellation came meanwhile.
        BaseException: whatever the coroutine raises.
    """
    task = start_task(coroutine)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = merged(cancelled, error)
    try:
        return task.result(), cancelled
    except Exception as error:
        if cancelled is not None:
            raise cancelled from error
        raise
