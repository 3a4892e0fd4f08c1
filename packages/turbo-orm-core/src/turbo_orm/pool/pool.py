"""One pool of one event loop: psycopg_pool's, made safe against every cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import inspect
import os
import sys
import traceback
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, cast

import psycopg
import psycopg_pool
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import InterfaceError, OperationalError
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from ..tasks import begin_now
from .alive import is_alive
from .connection import PooledConnection, finish
from .driver import check_driver
from .limit import ConnectionLimit, current_limit
from .messages import POOL_NAME, log_connection, log_failed_reset, log_refusal
from .reset import must_be_reset, reset
from .stats import PoolStats
from .watchdog import Watchdog

DEFAULT_MIN_SIZE = 2
DEFAULT_MAX_SIZE = 10

# CPython 3.10 and 3.11: `asyncio.wait_for`, which psycopg_pool waits with, swallows a cancellation
# that meets the result, and the connection is lost: https://github.com/python/cpython/issues/86296
WAIT_FOR_IS_SAFE = sys.version_info >= (3, 12)

# What may be written in OPTIONS["pool"] and TURBO_ORM["POOL"]: psycopg_pool's own names.
OPTION_NAMES = frozenset(inspect.signature(psycopg_pool.AsyncConnectionPool).parameters)
# Those among them that have no effect: Turbo ORM gives its own.
OWN_OPTIONS = frozenset({"conninfo", "connection_class", "kwargs", "name", "open"})

Connect = Callable[[], Awaitable[PooledConnection]]
Configure = Callable[[PooledConnection], Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class PoolRecipe:
    """All that is needed to open the pool of an alias.

    Args:
        alias: the database alias.
        connect: opens a connection, in autocommit.
        options: what ``AsyncConnectionPool`` is given: sizes, timeout (seconds), lifetimes, check.
        configure: prepares each new connection.
        cleanup_timeout: seconds that closing, or a reset of a session, may take.
        reset_sessions: which sessions are reset before they are lent again: ``"auto"`` for those
            that a statement may have changed, ``"always"``, or False.
    """

    alias: str
    connect: Connect
    options: Mapping[str, Any]
    configure: Configure
    cleanup_timeout: float
    reset_sessions: str | bool = "auto"

    def sizes(self) -> dict[str, int]:
        """Return min_size and max_size, each default bending to the other's setting."""
        low, high = self.options.get("min_size"), self.options.get("max_size")
        if low is None:
            low = DEFAULT_MIN_SIZE if high is None else min(DEFAULT_MIN_SIZE, high)
        if high is None:
            high = max(DEFAULT_MAX_SIZE, low)
        return {"min_size": low, "max_size": high}


def _clear_frames(error: BaseException) -> None:
    """Break the cycle of psycopg_pool's waiter, its error, and that error's frames.

    It would keep what the caller has, such as an open stream, until garbage is collected.
    """
    traceback.clear_frames(error.__traceback__)
    # The error of the waiter itself, which has not the name of the pool in it.
    if isinstance(error.__context__, psycopg_pool.PoolTimeout):
        traceback.clear_frames(error.__context__.__traceback__)


class Pool:
    """Lend connections of one alias on one event loop."""

    def __init__(self, recipe: PoolRecipe, loop: asyncio.AbstractEventLoop) -> None:
        self.alias = recipe.alias
        self.loop = loop
        # In the child of a fork the sockets are the parent's: closing them would end its sessions.
        self.pid = os.getpid()
        self.connections: weakref.WeakSet[PooledConnection] = weakref.WeakSet()
        self.last_error: BaseException | None = None
        self._recipe = recipe
        self._connected_once = False
        # Done if the very first connection failed.
        self._first_failure: asyncio.Future[Any] = loop.create_future()
        self._giving_up: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closed = False
        # Operations that wait for a connection, all that asked, and those that ended without one.
        # psycopg_pool counts those that were given up as waiting, until a connection comes back.
        self._waiting = self._requests = self._failures = 0
        # What was lent under a limit, until it is taken back.
        self._limited: dict[AsyncConnection[Any], ConnectionLimit] = {}
        self._janitor: asyncio.Task[None] | None = None
        self._closer: AsyncGenerator[None, None] | None = None
        self._watchdog = Watchdog(recipe.alias, self.connections, loop)
        self._pool = self._make_pool()

    def _make_pool(self) -> psycopg_pool.AsyncConnectionPool[AsyncConnection[Any]]:
        recipe = self._recipe
        # Without "turbo_orm" in INSTALLED_APPS nobody has done that yet.
        check_driver()

        def made(min_size: int, max_size: int) -> psycopg_pool.AsyncConnectionPool[Any]:
            sizes = {"min_size": min_size, "max_size": max_size}
            return psycopg_pool.AsyncConnectionPool(
                connection_class=PooledConnection,
                kwargs={"opened_by": self},
                configure=self._configure,
                open=False,
                name=f"{POOL_NAME}{recipe.alias}",
                **{**recipe.options, **sizes},
            )

        try:
            made(**recipe.sizes())  # says what is wrong with them
            # Of several first connections, one may be refused while another comes; and each one
            # that is refused is an attempt in vain. The others follow the first.
            return made(1, 1)
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(
                f"The settings of database {recipe.alias!r} ask for a pool that cannot be: {error}"
            ) from error

    async def connect(self) -> PooledConnection:
        """Open a connection."""
        return await self._recipe.connect()

    async def _configure(self, connection: PooledConnection) -> None:
        try:
            await self._recipe.configure(connection)
            _require_idle(connection)
            if not self._connected_once:
                await self._take_full_size()
            log_connection(self.alias, self._count_open())
        except BaseException as error:
            # Nobody else knows of this connection yet, and only its collection would close it.
            finish(connection)
            if isinstance(error, Exception):
                self.note_failure(error)
            raise
        connection.prepared = True
        self._connected_once = True
        # An old failure must not be named as the cause of a pool that is merely exhausted.
        self.last_error = None

    async def _take_full_size(self) -> None:
        """Let the pool grow, once its first connection has come or takes too long."""
        sizes = self._recipe.sizes()
        await self._pool.resize(**sizes)
        if self._waiting > max(sizes["min_size"], 1):
            # Only a request makes it grow further, and these were made before. It has no
            # connections yet that it could check.
            await self._pool.check()

    def _count_open(self) -> int:
        return sum(map(is_alive, self.connections))

    def note_failure(self, error: BaseException) -> None:
        """Remember why no connection came; give the pool up if it never had one.

        The operations that wait for the first connection fail then. The next one has a new pool,
        and need not wait until psycopg_pool tries again.
        """
        self.last_error = error
        if not self._closed:
            log_refusal(self.alias, self._count_open(), error)
        if not self._connected_once and not self.failed:
            self._first_failure.set_result(None)

    def give_up(self) -> asyncio.Future[None]:
        """Begin to close a pool that could not connect; safe to call again."""
        if self._giving_up is None:
            self._giving_up = self.loop.create_task(self.close())
        return self._giving_up

    @property
    def failed(self) -> bool:
        """Whether the very first connection failed."""
        return self._first_failure.done()

    @property
    def closed(self) -> bool:
        """Whether the pool lends no more."""
        return self._closed or self.failed or self.loop.is_closed()

    def stats(self) -> PoolStats:
        """Return the figures of this moment."""
        measured = self._pool.get_stats()
        if self._opening is None:
            # psycopg_pool counts the connections that it is going to open.
            measured["pool_size"] = 0
        sizes = self._recipe.sizes()
        # Until the first connection has come, it has other limits.
        measured["pool_min"], measured["pool_max"] = sizes["min_size"], sizes["max_size"]
        measured["requests_waiting"] = self._waiting
        measured["requests_num"], measured["requests_errors"] = self._requests, self._failures
        return PoolStats.of(self.alias, measured)

    async def open(self) -> None:
        """Start the pool's workers; safe to call again and from several tasks."""
        if self._opening is None:
            # The workers live as long as the loop: they must not inherit the transaction, or
            # anything else, of the task that happens to come first.
            self._opening = contextvars.Context().run(self.loop.create_task, self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        await self._pool.open()
        self._watchdog.start()
        self._janitor = self.loop.create_task(_end_workers_with_loop(self._pool))
        # An asynchronous generator is closed by the loop itself when that shuts down, so a pool
        # that nobody closed leaves no connection behind.
        self._closer = _close_with_loop(weakref.ref(self))
        await self._closer.__anext__()

    def has_to_wait(self) -> bool:
        """Tell whether an operation would wait until another gives its connection back."""
        limit = current_limit()
        if limit is not None and limit.is_reached(self.alias):
            return True
        now = self._pool.get_stats()
        if now["requests_waiting"]:
            return True
        return not now["pool_available"] and now["pool_size"] >= now["pool_max"]

    async def lend(self) -> AsyncConnection[Any]:
        """Return a connection, idle and in autocommit.

        Raises:
            OperationalError: none came within the pool's timeout, or the server refused the first.
            InterfaceError: the pool is closed.
        """
        limit = current_limit()
        if limit is None:
            return await self._lend()
        await limit.acquire(self.alias, self._pool.timeout)
        try:
            connection = await self._lend()
        except BaseException:
            limit.release(self.alias)
            raise
        self._limited[connection] = limit
        return connection

    async def _lend(self) -> AsyncConnection[Any]:
        try:
            return await self._wait_for_one()
        except psycopg_pool.PoolClosed as error:
            raise InterfaceError(
                f"The pool of database {self.alias!r} is closed; it opens again with the next "
                "operation on a running event loop."
            ) from error
        except psycopg_pool.TooManyRequests as error:
            raise OperationalError(self._exhausted("The queue is full (max_waiting)")) from error
        except psycopg_pool.PoolTimeout as error:
            if not self._connected_once:
                raise await self._give_first_time_out() from error
            message = self._exhausted(f"No connection came within {self._pool.timeout:g} s")
            raise OperationalError(message) from (self.last_error or error)

    async def _wait_for_one(self) -> AsyncConnection[Any]:
        self._waiting += 1
        self._requests += 1
        try:
            if self._opening is None or not self._opening.done():
                await self.open()
            if not self._connected_once:
                return await self._lend_first()
            if WAIT_FOR_IS_SAFE:
                return await self._pool.getconn()
            return await self._lend_in_own_task()
        except BaseException as error:  # GeneratorExit too: the coroutine that waits was closed
            self._failures += 1
            self._drop_waiters()
            _clear_frames(error)
            raise
        finally:
            self._waiting -= 1

    def _drop_waiters(self) -> None:
        """Let those that were given up count no more towards max_waiting, nor make the pool grow.

        psycopg_pool leaves them in its queue until a connection comes back.
        """
        queue = self._pool._waiting
        for waiter in [each for each in queue if each.error is not None]:
            queue.remove(waiter)

    async def _give_first_time_out(self) -> OperationalError:
        """Return the error of an operation for which the first connection took too long."""
        reason = f"the first connection was not ready within {self._pool.timeout:g} s"
        log_refusal(self.alias, self._count_open(), OperationalError(reason))
        # The server may have lost the first connection, and answer the next.
        await self._take_full_size()
        return OperationalError(
            f"Cannot connect to database {self.alias!r}: {reason}. Check that the server at HOST "
            'and PORT answers, or raise timeout in OPTIONS["pool"].'
        )

    def _exhausted(self, what: str) -> str:
        now = self.stats()
        message = (
            f"{what} from the pool of database {self.alias!r}: {now.in_use} of at most "
            f"{now.max_size} connections are in use and {now.waiting} more operations wait. Raise "
            'max_size or timeout in OPTIONS["pool"], or hold connections for a shorter time.'
        )
        if self.last_error is not None:
            message += f" The last failure to connect was: {self.last_error}"
        return message

    async def _lend_in_own_task(self) -> AsyncConnection[Any]:
        asking = self.loop.create_task(self._pool.getconn())
        try:
            return await asyncio.shield(asking)
        except BaseException:  # GeneratorExit too: the coroutine that waits was closed
            self._give_up_asking(asking)
            raise

    async def _lend_first(self) -> AsyncConnection[Any]:
        """Lend from a pool that never connected: a failure is the answer, not a time-out."""
        # Done if it failed while this operation waited for the pool to open.
        if not self.failed:
            asking = self.loop.create_task(self._pool.getconn())
            try:
                either: set[asyncio.Future[Any]] = {asking, self._first_failure}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if asking.done():
                    return asking.result()
            except BaseException:  # GeneratorExit too: the coroutine that waits was closed
                self._give_up_asking(asking)
                raise
            self._give_up_asking(asking)
        await asyncio.shield(self.give_up())
        raise self._first_error()

    def _first_error(self) -> BaseException:
        error = self.last_error
        if error is not None and not isinstance(error, psycopg.Error):
            return error
        failure = OperationalError(f"Cannot connect to database {self.alias!r}: {error}")
        failure.__cause__ = error
        return failure

    def _give_up_asking(self, asking: asyncio.Task[AsyncConnection[Any]]) -> None:
        asking.add_done_callback(self._take_back_late)
        # A loop that is closed runs no task any more.
        if not self.loop.is_closed():
            asking.cancel()

    def _take_back_late(self, asking: asyncio.Task[AsyncConnection[Any]]) -> None:
        self._drop_waiters()
        if not asking.cancelled() and asking.exception() is None:
            self.take_back(asking.result())

    def take_back(self, connection: AsyncConnection[Any]) -> asyncio.Task[None] | None:
        """Return a connection that is idle or closed; return the task if that needs to wait."""
        if must_be_reset(connection, self._recipe.reset_sessions) and self.pid == os.getpid():
            if not cast(PooledConnection, connection).facade.resettable:
                # Its engine changed the session in a way that cannot be done again.
                self.discard(connection)
                return None
            # The settings and the transaction of whoever gives it back do not belong there.
            task = contextvars.Context().run(self.loop.create_task, self._reset(connection))
            _unfinished.add(task)
            task.add_done_callback(_unfinished.discard)
            return task
        return self._put_back(connection)

    async def _reset(self, connection: Any) -> None:
        """Make the session equal to a new one and give it back; close it if that fails."""
        try:
            await reset(connection, self._recipe.configure, self._recipe.cleanup_timeout)
        except Exception as error:
            log_failed_reset(self.alias, error)
            self.discard(connection)
        except BaseException:
            self.discard(connection)
            raise
        else:
            self._put_back(connection)

    def _put_back(self, connection: AsyncConnection[Any]) -> asyncio.Task[None] | None:
        self._count_back(connection)
        if self.pid != os.getpid():
            return None
        rest = begin_now(self._pool.putconn(connection))
        if rest is None:
            return None
        task = self.loop.create_task(_finish(rest))
        _unfinished.add(task)
        task.add_done_callback(_unfinished.discard)
        return task

    def discard(self, connection: AsyncConnection[Any]) -> None:
        """Close a connection whose state is in doubt, and let the pool replace it."""
        if self.pid != os.getpid():
            return
        finish(connection)
        if self.closed:
            self._count_back(connection)
            return
        self.take_back(connection)

    def _count_back(self, connection: AsyncConnection[Any]) -> None:
        limit = self._limited.pop(connection, None)
        if limit is not None:
            limit.release(self.alias)

    async def close(self) -> None:
        """Close every idle connection now, each lent one when it comes back."""
        if self._closed:
            return
        self._closed = True
        try:
            # In a task of its own: a loop that shuts down has cancelled the pool's workers, and
            # psycopg_pool takes their cancellation for its own.
            closing = self.loop.create_task(self._pool.close(timeout=self._recipe.cleanup_timeout))
            await asyncio.wait({closing})
        finally:
            self.finish_idle()
            self._watchdog.stop()
            if self._janitor is not None:
                self._janitor.cancel()
            if self._closer is not None:
                closer, self._closer = self._closer, None
                with contextlib.suppress(RuntimeError):
                    await closer.aclose()

    def lent(self) -> list[PooledConnection]:
        """Return the open connections that somebody has."""
        return [
            connection
            for connection in self.connections
            if getattr(connection, "_pool", None) is not None and not connection.closed
        ]

    def finish_idle(self) -> None:
        """Close the sockets of connections that nobody holds, without an event loop."""
        for connection in list(self.connections) if self.pid == os.getpid() else ():
            if getattr(connection, "_pool", None) is None or self.loop.is_closed():
                finish(connection)

    def status(self, connection: AsyncConnection[Any]) -> TransactionStatus:
        """Return what libpq knows of the connection's transaction."""
        return TransactionStatus(connection.pgconn.transaction_status)


def _require_idle(connection: AsyncConnection[Any]) -> None:
    """Raise where psycopg_pool would only log, and try again until the pool's timeout."""
    status = TransactionStatus(connection.pgconn.transaction_status)
    if status != TransactionStatus.IDLE:
        raise psycopg.ProgrammingError(
            "the pool's configure function, or a receiver of connection_created, left the "
            f"connection in status {status.name}. End the transaction there."
        )


# The loop itself keeps only weak references to tasks.
_unfinished: set[asyncio.Task[None]] = set()


async def _finish(rest: Awaitable[None]) -> None:
    await rest


async def _end_workers_with_loop(pool: Any) -> None:
    """Cancel the pool's workers for as long as it takes, when the loop cancels all tasks.

    psycopg_pool takes a cancellation while it connects for a failure to connect, and goes on:
    ``asyncio.run`` would wait for that worker for ever.
    """
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        # Before Python 3.12 the scheduler's `wait_for` may swallow a cancellation as well.
        tasks = [*getattr(pool, "_workers", ()), getattr(pool, "_sched_runner", None)]
        while alive := [task for task in tasks if task is not None and not task.done()]:
            for worker in alive:
                worker.cancel()
            await asyncio.sleep(0)


async def _close_with_loop(pool: weakref.ref[Pool]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        alive = pool()
        if alive is not None:
            await alive.close()
