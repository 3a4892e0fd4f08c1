"""The threads of requests with synchronous views: each serves one request after another."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import connections

from ..conf import get_settings
from ..tasks import begin_now

P = ParamSpec("P")
T = TypeVar("T")

_numbers = itertools.count(1)


class RequestThread(ThreadPoolExecutor):
    """One thread. It keeps its connections, as a thread of a WSGI server does."""

    def __init__(self) -> None:
        super().__init__(1, f"turbo_orm-view-{next(_numbers)}", initializer=self._note_ident)
        self._ident: int | None = None
        self._last: Future[Any] | None = None

    def _note_ident(self) -> None:
        self._ident = threading.get_ident()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in the thread, after all that was submitted before."""
        if threading.get_ident() == self._ident:
            # A view that runs an event loop of its own waits for it: the thread is not free.
            # Under WSGI asgiref has one thread for the code of such loops.
            return SyncToAsync.single_thread_executor.submit(fn, *args, **kwargs)
        future = super().submit(fn, *args, **kwargs)
        self._last = future
        return future

    @property
    def unfinished(self) -> Future[Any] | None:
        """The work that was submitted last, if it has not ended."""
        return None if self._last is None or self._last.done() else self._last

    def forget(self) -> None:
        """Drop the last outcome: its traceback would keep a request alive."""
        self._last = None

    def end(self) -> Future[None] | None:
        """End the thread after its work, and close its connections there.

        Returns:
            What is done when the connections are closed; None if the thread never ran.
        """
        closing = None if self._ident is None else super().submit(connections.close_all)
        self.shutdown(wait=False)
        return closing


class Threads:
    """The threads of one event loop; a request waits while as many as allowed are in use."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._admission = asyncio.Semaphore(get_settings().SYNC_THREADS)
        # The one that was used last is the first to be used again.
        self._idle: list[RequestThread] = []
        self._closed = False
        # Not all servers speak the lifespan protocol. A loop closes its generators when it ends.
        self._ending = _end_with_loop(self)
        begin_now(anext(self._ending))

    async def acquire(self) -> RequestThread:
        """Return a thread that nothing else uses until it is released."""
        await self._admission.acquire()
        return self._idle.pop() if self._idle else RequestThread()

    def release(self, thread: RequestThread) -> None:
        """Take a thread back, once it has done what it was asked to do."""
        unfinished = thread.unfinished
        if unfinished is not None:
            unfinished.add_done_callback(partial(self._release_later, thread))
            return
        thread.forget()
        self._admission.release()
        if self._closed:
            thread.end()
        else:
            self._idle.append(thread)

    def _release_later(self, thread: RequestThread, work: Future[Any]) -> None:
        try:
            self.loop.call_soon_threadsafe(self.release, thread)
        except RuntimeError:  # the loop was closed meanwhile
            thread.end()

    async def close(self) -> None:
        """End the threads, and wait until the connections of those that are idle are closed."""
        await self._ending.aclose()

    def end_idle(self) -> list[Future[None]]:
        """End the threads that no request uses, and the others when they are released."""
        self._closed = True
        ending = [thread.end() for thread in self._idle]
        self._idle.clear()
        return [future for future in ending if future is not None]


async def _end_with_loop(threads: Threads) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        if ending := [asyncio.wrap_future(future) for future in threads.end_idle()]:
            await asyncio.wait(ending, timeout=get_settings().CLEANUP_TIMEOUT)


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
