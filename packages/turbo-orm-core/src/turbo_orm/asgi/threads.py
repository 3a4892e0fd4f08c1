"""The threads of requests with synchronous views: each serves one request after another."""

from __future__ import annotations

import asyncio
import os

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

from .kept_threads import Threads

_threads: dict[int, Threads] = {}
_threads_of_parents: list[Threads] = []


def threads_of_running_loop() -> Threads:
    """Return the threads of the running event loop."""
    loop = asyncio.get_running_loop()
    threads = _threads.get(id(loop))
    if threads is None or threads.loop is not loop:
        for key in [key for key, known in _threads.items() if known.loop.is_closed()]:
            _threads.pop(key).end_idle()
        threads = _threads[id(loop)] = Threads(loop)
    return threads


async def close_threads() -> None:
    """End the threads of the running event loop, and wait until their connections are closed."""
    threads = _threads.pop(id(asyncio.get_running_loop()), None)
    if threads is not None:
        await threads.close()


def _begin_anew() -> None:
    """Forget the threads of the parent, which do not run in the child of a fork."""
    # Not dropped: that would wake the parent's event loop, to close a generator.
    _threads_of_parents.extend(_threads.values())
    _threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


class ThreadLease:
    """A thread for one request: asgiref sends there what is thread-sensitive."""

    def __init__(self) -> None:
        self._context: ThreadSensitiveContext | None = None

    async def take(self) -> None:
        """Wait for a thread.

        Code around the application may have had one made for the same context, or wait in its own
        thread: the request stays there, as in Django.
        """
        context = SyncToAsync.thread_sensitive_context.get(None)
        if context is None or context in SyncToAsync.context_to_thread_executor:
            return
        threads = threads_of_running_loop()
        thread = await threads.acquire()
        self._context, self._threads, self._thread = context, threads, thread
        SyncToAsync.context_to_thread_executor[context] = thread

    def give_back(self) -> None:
        """Let another request have the thread."""
        if self._context is None:
            return
        # asgiref would shut down, at the end of its context, the thread that it finds there.
        SyncToAsync.context_to_thread_executor.pop(self._context, None)
        self._context = None
        self._threads.release(self._thread)
