"""Being told that a connection's socket can be read, without asking anew for each statement."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import sys

# libpq's sockets have no descriptors elsewhere that could be duplicated.
CAN_WATCH = sys.platform != "win32"
# An event loop may tell once more of what a statement is about to read.
FALSE_ALARMS = 2


class Watch:
    """A socket that an event loop watches from a connection's first statement to its end.

    Beginning and ending that with each statement, as psycopg does, is a fifth of what it costs.
    """

    __slots__ = ("__weakref__", "_descriptor", "_false_alarms", "_pid", "loop", "waiter")

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        # Who waits; set by the connection, which spares a coroutine for each statement.
        self.waiter: asyncio.Future[None] | None = None
        self._false_alarms = 0
        self._pid = os.getpid()
        self._descriptor = _descriptor_of_our_own(descriptor)
        try:
            loop.add_reader(self._descriptor, self._readable)
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def ended(self) -> bool:
        """Whether nobody is told any more."""
        return self._descriptor < 0

    def has_input(self) -> bool:
        """Tell whether the socket can be read now: without waiting, whatever the loop says."""
        if self.ended:
            return False
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(0))

    def _readable(self) -> None:
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            self._false_alarms = 0
            waiter.set_result(None)
        elif self._false_alarms < FALSE_ALARMS:
            self._false_alarms += 1
        else:
            # Something came that no statement waits for, such as the end of the session. As long
            # as it is not read, the loop would tell again and again.
            self.end()

    def end(self) -> None:
        """Watch no more; safe to call again, and where another thread collects garbage."""
        loop = self.loop
        if self.ended:
            return
        if os.getpid() != self._pid or loop.is_closed():
            # The child of a fork shares what its parent's loop watches.
            self._close()
        elif loop.is_running() and not _runs_here(loop):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.end)
        else:
            loop.remove_reader(self._descriptor)
            self._close()

    def forget(self) -> None:
        """Tell nobody any more, in a child of a fork that takes the loop a step further."""
        self.waiter = None
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
        # Who still waits finds out from the connection itself.
        if self.waiter is not None and not self.waiter.done() and not self.loop.is_closed():
            self.waiter.set_result(None)


def _descriptor_of_our_own(descriptor: int) -> int:
    """Return a new descriptor that can be read whenever the socket can; the caller closes it.

    It is not the socket's: a connection that others close must not leave its number behind in the
    loop, where the next socket would be mistaken for it.

    Nor a duplicate where there is epoll. After a reset (POLLERR) libuv stops watching a socket, and
    uvloop calls the reader once and never again, although more can be read; if no statement waits
    just then, the next one would wait for ever. An epoll object that watches the socket can only be
    readable or not, so both event loops call the reader for as long as there is something to read:
    https://github.com/libuv/libuv/blob/v1.51.0/src/unix/poll.c#L36
    """
    if not hasattr(select, "epoll"):
        return os.dup(descriptor)
    with select.epoll() as epoll:
        epoll.register(descriptor, select.EPOLLIN)
        return os.dup(epoll.fileno())


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
