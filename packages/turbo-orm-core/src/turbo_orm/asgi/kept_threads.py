"""How many threads an event loop keeps for requests with synchronous views, and how they end."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync
from django.db import connections

from ..conf import get_settings
from ..tasks import begin_now

P = ParamSpec("P")
T = TypeVar("T")

# Seconds without a thread that comes back, after which requests that wait for one get more.
STALLED_AFTER = 0.25

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
    """The threads of one event loop; ``SYNC_THREADS`` of them are kept.

    A request waits while so many are in use. If none comes back for a moment, those in use may wait
    for the request itself: their views call this server. Then there are more, as many as it takes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._kept = get_settings().SYNC_THREADS
        self._in_use = 0
        # The one that was used last is the first to be used again. Empty while requests wait.
        self._idle: list[RequestThread] = []
        self._waiting: deque[asyncio.Future[RequestThread]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._one_came_back = False
        # How many the next moment without one that comes back brings.
        self._more = 1
        self._closed = False
        # Not all servers speak the lifespan protocol. A loop closes its generators when it ends.
        self._ending = _end_with_loop(self)
        begin_now(anext(self._ending))

    async def acquire(self) -> RequestThread:
        """Return a thread that nothing else uses until it is released."""
        if self._in_use < self._kept:
            self._in_use += 1
            return self._idle.pop() if self._idle else RequestThread()
        waiter: asyncio.Future[RequestThread] = self.loop.create_future()
        self._waiting.append(waiter)
        if self._watch is None:
            self._begin_to_watch()
        try:
            return await waiter
        except BaseException:  # cancelled, or dropped with its loop
            if waiter.done() and not waiter.cancelled():
                self.release(waiter.result())
            elif waiter in self._waiting:
                self._waiting.remove(waiter)
            raise

    def _begin_to_watch(self) -> None:
        self._one_came_back = False
        self._watch = self.loop.call_later(STALLED_AFTER, self._relieve)

    def _relieve(self) -> None:
        """Start more threads if none came back since the last time."""
        if self._one_came_back:
            self._more = 1
        else:
            for _ in range(self._more):
                if not self._hand_over(thread := RequestThread()):
                    thread.end()
                    break
                self._in_use += 1
            self._more *= 2
        self._watch = None
        if self._waiting:
            self._begin_to_watch()
        else:
            self._more = 1

    def _hand_over(self, thread: RequestThread) -> bool:
        """Give a thread to the request that has waited longest; tell whether there was one."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # cancelled
                waiter.set_result(thread)
                return True
        return False

    def release(self, thread: RequestThread) -> None:
        """Take a thread back, once it has done what it was asked to do."""
        unfinished = thread.unfinished
        if unfinished is not None:
            unfinished.add_done_callback(partial(self._release_later, thread))
            return
        thread.forget()
        self._one_came_back = True
        if self._hand_over(thread):
            return
        self._in_use -= 1
        if self._closed or self._in_use >= self._kept:
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
