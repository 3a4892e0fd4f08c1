"""The connections of a pool: psycopg's, waiting more cheaply and telling of failures."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.waiting import Ready, Wait

from ..cancellation import outlast
from ..conf import get_settings
from ..tasks import start_task
from .watch import CAN_WATCH, Watch

if TYPE_CHECKING:
    from .pool import Pool

READABLE = int(Ready.R)
UNTIL_READABLE = int(Wait.R)
# Seconds after which a server that says nothing is asked once more to cancel a statement.
REPEATS = (0.05, 0.1, 0.2, 0.4, 0.8)

# An event loop alone would let them be collected.
_asking: set[asyncio.Task[None]] = set()


class PooledConnection(AsyncConnection[Any]):
    """A psycopg connection that stays with its event loop from statement to statement."""

    # The synchronous face that the layer above gives the connection when it configures it.
    facade: Any = None
    # Whether the pool lends it, or is still preparing it.
    prepared = False
    _watch: Watch | None = None
    # Ends the watch of a connection that is forgotten; kept until there is another.
    _ending: weakref.finalize[..., PooledConnection] | None = None

    @classmethod
    async def connect(  # type: ignore[override]
        cls,
        conninfo: str = "",  # noqa: ARG003  # what psycopg_pool gives: always empty here
        *,
        opened_by: Pool,
    ) -> PooledConnection:
        """Connect as the pool says, and tell it what came of that."""
        try:
            connection = await opened_by.connect()
        except Exception as error:
            # psycopg's frames hold the password, and error pages show what frames hold.
            secretless = error.with_traceback(None)
            opened_by.note_failure(secretless)
            raise secretless from None
        opened_by.connections.add(connection)
        return connection

    @classmethod
    async def open(cls, conninfo: str = "", **parameters: Any) -> PooledConnection:
        """Connect. Mirrors ``AsyncConnection.connect``."""
        return await super().connect(conninfo, **parameters)

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Drive one of psycopg's generators; what is more than reading is left to psycopg.

        Args:
            gen: the generator; yields what it needs of the socket.
            interval: seconds between psycopg's looks at other events.
            timeout: seconds that it may take.

        Returns:
            What the generator returns.

        Mirrors ``AsyncConnection.wait``.
        """
        if timeout is not None or not CAN_WATCH:
            return await super().wait(gen, interval, timeout)
        rest, answer = await self._read(gen)
        if rest is None:
            return answer
        try:
            if isinstance(rest, Resumed) and isinstance(rest.interruption, asyncio.CancelledError):
                if not self.prepared:
                    # Nobody will use the connection: there is no statement to end properly.
                    finish(self)
                    raise rest.interruption
                return await self._end_statement(rest, interval)
            return await super().wait(rest, interval)
        except BaseException:
            # One that psycopg gives up would fail when it is collected: a pipeline's asks for more.
            with suppress(Exception):
                gen.close()
            raise

    async def _end_statement(self, rest: Any, interval: float) -> Any:
        # Another cancellation meanwhile would make psycopg drop the connection:
        # https://github.com/psycopg/psycopg/issues/1435
        ending: asyncio.Task[Any] = start_task(super().wait(rest, interval))
        kept = await outlast(ending, get_settings().CLEANUP_TIMEOUT)
        try:
            return ending.result()
        finally:
            if kept is not None:
                # In the context of the first, which psycopg raises.
                raise kept

    async def _read(self, gen: Any) -> tuple[Any, Any]:
        """Drive a generator that reads; return what psycopg must go on with, or the answer."""
        try:
            state = next(gen)
        except StopIteration as done:
            # psycopg sees to it that what never waits does not starve other tasks.
            return _answered(done.value), None
        try:
            while state == UNTIL_READABLE:
                watch = self._watched()
                watch.waiter = waiter = watch.loop.create_future()
                try:
                    await waiter
                except BaseException as interruption:  # psycopg cancels the statement
                    return Resumed(gen, state, interruption), None
                finally:
                    watch.waiter = None
                state = gen.send(READABLE)
        except StopIteration as done:
            return None, done.value
        return Resumed(gen, state), None

    def _watched(self) -> Watch:
        watch = self._watch
        loop = asyncio.get_running_loop()
        if watch is None or watch.ended or watch.loop is not loop:
            self.unwatch()
            try:
                watch = self._watch = Watch(self.pgconn.socket, loop)
            except OSError as error:
                raise psycopg.OperationalError("connection socket closed") from error
            # The loop holds the watch, and nobody who forgets a connection ends it.
            self._ending = weakref.finalize(self, watch.end)
            self._ending.atexit = False
        return watch

    @property
    def waiting_statement(self) -> tuple[Watch, asyncio.Future[None]] | None:
        """The watch and the future of a statement that waits for the server; None if none does."""
        watch = self._watch
        if watch is None or watch.waiter is None or watch.waiter.done():
            return None
        return watch, watch.waiter

    def unwatch(self) -> None:
        """Let the loop forget the socket until the next statement."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if self._ending is not None:
            self._ending.detach()
            self._ending = None

    def forget_watch(self) -> None:
        """Leave the watch to the parent, in the child of a fork."""
        if self._watch is not None and not self._watch.ended:
            self._watch.forget()

    async def _try_cancel(self, *, timeout: float = 5.0) -> None:
        if not self.prepared:
            # The loop ends while the pool is growing: nobody will use the connection.
            self.pgconn.finish()
            raise psycopg.errors.QueryCanceled("the connection was closed while it was prepared")
        # The statement has to end on the server, even if another cancellation comes meanwhile.
        asking = start_task(self._ask_to_cancel(timeout))
        _asking.add(asking)
        asking.add_done_callback(_asking.discard)
        await asyncio.shield(asking)

    async def _ask_to_cancel(self, timeout: float) -> None:
        # A request that overtakes its statement finds the session idle and is forgotten: the
        # statement would run to its end, without a client.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        await super()._try_cancel(timeout=timeout)
        for pause in REPEATS:
            if self.closed or loop.time() + pause > deadline or await self._has_answer(pause):
                return
            # To psycopg no time at all would be no limit.
            await super()._try_cancel(timeout=max(deadline - loop.time(), pause))

    async def _has_answer(self, seconds: float) -> bool:
        """Wait until the server has sent something, at most so many seconds."""
        return bool(await waiting.wait_async(_look(), self.pgconn.socket, interval=seconds))

    async def close(self) -> None:
        """Close the connection. Mirrors ``AsyncConnection.close``."""
        self.unwatch()
        await super().close()


def finish(connection: AsyncConnection[Any]) -> None:
    """Close a connection now, whatever it is doing, and wait for nothing.

    Args:
        connection: one of a pool, or any other.

    Mirrors ``PGconn.finish``.
    """
    if isinstance(connection, PooledConnection):
        connection.unwatch()
    connection.pgconn.finish()


class Resumed:
    """The rest of a generator that was begun, for psycopg to drive.

    Args:
        gen: the generator.
        state: what it needs of the socket.
        interruption: what is raised first, as if psycopg had been waiting.
    """

    def __init__(self, gen: Any, state: Any, interruption: BaseException | None = None) -> None:
        self.interruption = interruption
        self._gen = gen
        self._state = state

    def __next__(self) -> Any:
        """Say what the generator needs."""
        interruption, self.interruption = self.interruption, None
        if interruption is not None:
            raise interruption
        return self._state

    def send(self, ready: Any) -> Any:
        """Let the generator go on; return what it needs next."""
        self._state = self._gen.send(ready)
        return self._state


def _look() -> Generator[Wait, Any, Any]:
    return (yield Wait.R)


def _answered(value: Any) -> Generator[Any, Any, Any]:
    yield from ()
    return value
