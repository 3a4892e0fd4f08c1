"""Threads for the work that must not run on the event loop; they end with the work."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# How many pieces of work run at once; the others wait for their turn. As many as asyncio's own.
THREADS_MAX = min(32, (os.cpu_count() or 1) + 4)


class Threads:
    """An executor that exists only while it has work, so that no idle thread stays behind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._unfinished = 0

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have a piece of work done in a thread, at once or when one is free."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="turbo_orm")
            try:
                future = self._executor.submit(work)
            except BaseException:
                # The system has no thread left: the work is in the queue of an executor without.
                if not self._unfinished:
                    self._executor = None
                raise
            self._unfinished += 1
        future.add_done_callback(self._note_end)
        return future

    def _note_end(self, future: Future[Any]) -> None:
        with self._lock:
            self._unfinished -= 1
            if self._unfinished or self._executor is None:
                return
            executor, self._executor = self._executor, None
        executor.shutdown(wait=False)


_threads = Threads()


def _forget_threads() -> None:
    """Begin anew in a forked process, where the threads of its parent do not run."""
    global _threads  # noqa: PLW0603  # one per process
    _threads = Threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


async def offload(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a thread, in a copy of the context, and wait for it.

    Args:
        function: what blocks or burns CPU for long.
        *args: its positional arguments.
        **kwargs: its keyword arguments.

    Returns:
        What the function returns. If the wait is cancelled, a function that has begun runs on and
        its result is dropped; one that has not is never called.

    Raises:
        BaseException: whatever the function raises.

    Unlike ``asyncio.to_thread`` it leaves no thread behind that waits for more.
    """
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    ended = loop.create_future()
    work = _threads.submit(functools.partial(context.run, function, *args, **kwargs))
    work.add_done_callback(functools.partial(_announce, loop, ended))
    try:
        await ended
        return work.result()
    finally:
        work.cancel()
        # An error's traceback refers to this frame: without this, a cycle per failure.
        del work


def _announce(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Future[None], work: Future[Any]
) -> None:
    try:
        loop.call_soon_threadsafe(_resolve, ended)
    except RuntimeError:
        # The loop was closed meanwhile: nobody waits any more.
        return


def _resolve(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
