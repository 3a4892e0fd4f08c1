"""A psycopg connection as Django's synchronous code expects it, waiting in the bridge."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from ..bridge import await_holding, await_shielded, current_job, in_bridge
from ..jobs import Job
from ..pool import finish
from ..tasks import begin_now
from .applied import Session
from .watched import Execution, is_marking, session_of, watched

IDLE = TransactionStatus.IDLE


class Lessee(Protocol):
    """Who has borrowed a connection."""

    @property
    def prepares_session(self) -> bool:
        """Whether statements belong to the preparation of the session, not to its use."""

    def check_access(self) -> None:
        """Raise unless the running code may use the connection now."""

    def note_interruption(self) -> None:
        """Hear of a statement that was interrupted by something that is no error."""


class Nobody:
    """The lessee of a connection that is in the pool."""

    prepares_session = False

    def check_access(self) -> None:
        """Refuse: a cursor was kept for longer than its connection was lent."""
        raise psycopg.InterfaceError(
            "this cursor's connection has gone back to the pool: it is lent for one operation, one "
            "`atomic` block or one stream. Do all work with a cursor inside one of them, for "
            "instance in a single `await run_sync(function)`"
        )

    def note_interruption(self) -> None:
        """Nothing was lent, so nothing was interrupted."""


class Keeper:
    """The lessee of a connection that its pool itself is preparing or checking."""

    prepares_session = True

    def check_access(self) -> None:
        """Allow everything: nobody else has the connection."""

    def note_interruption(self) -> None:
        """The pool closes a connection of which the preparation failed."""


class Maker(Keeper):
    """The lessee of a connection that an engine is making.

    The engine prepares the session as well, but only once: a reset would undo that.
    """

    prepares_session = False


NOBODY = Nobody()
KEEPER = Keeper()
MAKER = Maker()


async def _finish(rest: Awaitable[Any]) -> None:
    await rest


class StatementLock:
    """One statement at a time on a connection, whichever task it comes from.

    A thread's lock would not do: all greenlets of a thread own it together.
    """

    def __init__(self, grace: float) -> None:
        self._lock = asyncio.Lock()
        self._grace = grace
        # Jobs whose statements no cancellation interrupts; others may share the connection.
        self.shielding: set[Job | None] = set()

    @property
    def shielded(self) -> bool:
        """Whether no cancellation may interrupt the statements of the running job."""
        return bool(self.shielding) and current_job() in self.shielding

    def __enter__(self) -> None:
        rest = begin_now(self._lock.acquire())
        if rest is None:
            return
        if self.shielded:
            await_shielded(_finish(rest), grace=self._grace)
        else:
            await_holding(rest)

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def locked(self) -> bool:
        """Tell whether a statement is under way. Mirrors ``threading.Lock.locked``."""
        return self._lock.locked()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, *error: object) -> None:
        self._lock.release()


class BridgedConnection(psycopg.Connection[Any]):
    """The synchronous face of an asynchronous connection: same libpq handle, other waiting.

    psycopg's synchronous classes are generators that yield when they need the socket, driven by
    ``wait``. Only that and the lock differ here, so Django's cursors work untouched.
    """

    # What the engine has set on its wrapper while it connected.
    engine_attributes: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self, source: AsyncConnection[Any], cursor_factory: type[psycopg.Cursor[Any]], grace: float
    ) -> None:
        super().__init__(source.pgconn)
        self.source = source
        self.cursor_factory = cursor_factory
        self.watch_cursors()
        # What is known of the server's session, and whether the next statement may meet another.
        self.turbo_session = Session()
        self.turbo_unsteady = False
        # What its engine did to the session while it connected; None if that cannot be done again.
        self._changes_of_engine: list[Execution] | None = []
        self.lock: StatementLock = StatementLock(grace)  # type: ignore[assignment]
        # Shared, since both faces prepare and adapt on the same server session.
        self._adapters = source.adapters
        self._prepared = source._prepared
        self._autocommit = True
        # As a connection in a pool, so that psycopg does not warn about it at interpreter exit.
        self._pool = None
        # Hooks that receivers of `connection_created` append to `connection.execute_wrappers`.
        self.execute_wrappers: list[Any] = []
        # Who has borrowed the connection; checks whether the running code may use it.
        self.lessee: Lessee = NOBODY
        self._grace = grace
        self._session = (self._isolation_level, self._read_only, self._deferrable)
        self.remember_attributes()

    def watch_cursors(self) -> None:
        """Let every kind of cursor look at its statements, also one that was put in place later."""
        self.cursor_factory = watched(cast(Any, self.cursor_factory))
        self.server_cursor_factory = watched(cast(Any, self.server_cursor_factory))

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Drive a psycopg generator on the event loop; the one place where a query waits."""
        self.lessee.check_access()
        waiting = self.source.wait(gen, *args, **kwargs)
        if self.lock.shielded:
            return self._wait_shielded(waiting)
        try:
            return await_holding(waiting)
        except Exception:
            raise
        except BaseException:
            self.lessee.note_interruption()
            raise

    def cursor(self, name: str = "", *args: Any, **kwargs: Any) -> Any:
        """Return a new cursor; one WITH HOLD would outlive its lease. Mirrors psycopg's."""
        if name and kwargs.get("withhold") and is_marking(self):
            self.turbo_session.marked = True
            self.note_change(None)
        return super().cursor(name, *args, **kwargs)

    def note_change(self, execution: Execution | None) -> None:
        """Remember what an engine does to the session while it connects.

        Args:
            execution: of a statement; None for what cannot be done again.
        """
        if self.lessee is not MAKER:
            return
        if execution is None:
            self._changes_of_engine = None
        elif self._changes_of_engine is not None:
            self._changes_of_engine.append(execution)

    @property
    def resettable(self) -> bool:
        """Whether a session that was reset can be made equal to a new one."""
        return self._changes_of_engine is not None

    def repeat_changes_of_engine(self) -> None:
        """Do to a session that was reset what its engine did while it connected."""
        for execution in self._changes_of_engine or ():
            execution.repeat(self)

    @contextlib.contextmanager
    def transaction(self, *args: Any, **kwargs: Any) -> Iterator[psycopg.Transaction]:
        """Begin a transaction or a savepoint. Mirrors ``Connection.transaction``."""
        session = session_of(self)
        session.settle(self.pgconn.transaction_status)
        try:
            with super().transaction(*args, **kwargs) as transaction:
                yield transaction
        finally:
            session.note_rollback()

    def may_be_used(self) -> bool:
        """Tell whether the running code has borrowed the connection and can wait for it."""
        if not in_bridge():
            return False
        try:
            self.lessee.check_access()
        except Exception:
            return False
        return True

    def _wait_shielded(self, waiting: Any) -> Any:
        try:
            return await_shielded(waiting, grace=self._grace)
        except TimeoutError as error:
            # What became of the statement is unknown, so the session must not be used again.
            finish(self.source)
            raise psycopg.OperationalError(
                f"the connection was closed: the server did not answer within {self._grace:g} s "
                "after the task was cancelled"
            ) from error

    @contextlib.contextmanager
    def shielded(self) -> Iterator[bool]:
        """Let no cancellation interrupt the statements of this block.

        Yields:
            Whether it is the outermost such block, after which one that came may be raised.
        """
        job, shielding = current_job(), self.lock.shielding
        if job in shielding:
            yield False
            return
        shielding.add(job)
        try:
            yield True
        finally:
            shielding.discard(job)

    def set_autocommit(self, value: bool) -> None:
        """Switch autocommit; outside a transaction that is a mere flag and waits for nothing."""
        if self.pgconn.transaction_status == IDLE and self._pipeline is None:
            self._autocommit = bool(value)
        else:
            super().set_autocommit(value)

    def _set_autocommit(self, value: bool) -> None:
        self.set_autocommit(value)

    @property
    def default_isolation_level(self) -> psycopg.IsolationLevel:
        """The isolation level that every lease begins with."""
        return self._session[0] or psycopg.IsolationLevel.READ_COMMITTED

    def remember_session(self) -> None:
        """Take the present transaction characteristics for those of every lease."""
        self._session = (self._isolation_level, self._read_only, self._deferrable)

    def remember_attributes(self) -> None:
        """Take what psycopg lets anybody set on the connection now for that of every lease."""
        prepared = self._prepared
        self._attributes = (
            *(self.row_factory, self.cursor_factory, self.server_cursor_factory),
            *(prepared.prepare_threshold, prepared.prepared_max),
            *([*self.execute_wrappers], [*self._notice_handlers], [*self._notify_handlers]),
        )

    def _has_other_attributes(self) -> bool:
        # At each lease: compared one by one, without a copy of anything.
        rows, cursors, named, threshold, most, wrappers, notices, notifies = self._attributes
        prepared = self._prepared
        return (
            self.row_factory is not rows
            or self.cursor_factory is not cursors
            or self.server_cursor_factory is not named
            or prepared.prepare_threshold != threshold
            or prepared.prepared_max != most
            or self.execute_wrappers != wrappers
            or self._notice_handlers != notices
            or self._notify_handlers != notifies
        )

    def _restore_attributes(self) -> None:
        rows, cursors, named, threshold, most, wrappers, notices, notifies = self._attributes
        self.row_factory, self.cursor_factory, self.server_cursor_factory = rows, cursors, named
        self._prepared.prepare_threshold, self._prepared.prepared_max = threshold, most
        self.execute_wrappers = [*wrappers]
        self._notice_handlers[:], self._notify_handlers[:] = notices, notifies

    def restore_session(self) -> None:
        """Undo what a lease changed of the transaction characteristics and of the connection."""
        self._autocommit = True
        if self._has_other_attributes():
            self._restore_attributes()
        level, read_only, deferrable = self._session
        if (
            self._isolation_level is not level
            or self._read_only is not read_only
            or self._deferrable is not deferrable
        ):
            self._isolation_level, self._read_only, self._deferrable = self._session
            self._begin_statement = b""
