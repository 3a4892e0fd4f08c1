"""The engine's own DatabaseWrapper, on a connection that is borrowed and waits in the bridge."""

from __future__ import annotations

import contextlib
import logging
from asyncio import isfuture
from collections import deque
from collections.abc import Callable, Iterator
from functools import update_wrapper
from inspect import isawaitable
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.transaction import TransactionManagementError
from psycopg.pq import TransactionStatus

from ..bridge import (
    await_,
    await_holding,
    await_shielded,
    current_job,
    deliver_cancellation,
    in_bridge,
    on_event_loop,
)
from ..callers import wait_here
from ..conf import get_settings
from ..pool import finish, get_pool
from .carried import SETTLING, carry_found
from .connecting import new_connection
from .context import (
    Hooks,
    added_hook,
    context_hooks,
    find_query_log,
    query_log,
    set_context_hooks,
)
from .facade import NOBODY, BridgedConnection
from .kept import Kept, Lender, kept_here
from .lessor import lessor
from .named import closed_anywhere
from .watched import is_preparing, preparing

if TYPE_CHECKING:
    from django.db.backends.postgresql.base import DatabaseWrapper

    from .lessor import Transaction

    class Base(DatabaseWrapper):
        """What the stubs do not tell of Django's wrapper."""

        def _commit(self) -> None: ...
        def _rollback(self) -> None: ...
        def _savepoint_commit(self, sid: str) -> None: ...
        def _savepoint_rollback(self, sid: str) -> None: ...
        def _set_autocommit(self, autocommit: bool) -> None: ...

else:
    Base = object


logger = logging.getLogger("turbo_orm")

# One operation needs one wrapper; more than the pool's connections are seldom alive at once.
WARM_MAX = 32

_cursor_numbers = count()

IDLE = TransactionStatus.IDLE
INTRANS = TransactionStatus.INTRANS
INERROR = TransactionStatus.INERROR


class BridgedWrapper(Base):
    """Mixed into the engine's wrapper class by ``engine.bridged_class``."""

    connection: Any
    # Whether the engine has an `ensure_connection` of its own, which may do more than connect.
    always_ensures = False
    pool = None  # Django's own synchronous pool: never used here
    # Whether it stands for a wrapper of another thread, and keeps nothing of its own.
    is_guest = False
    # Why the block that is marked for rollback must not end without an error.
    given_up: TransactionManagementError | None = None
    # Whether a setting was changed where no statement can be waited for.
    timezone_is_stale = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._usual_size = 0
        self._lender: Lender | None = None
        self._transaction: Transaction | None = None
        # Strong references: a cursor whose query was cancelled is closed by nobody else.
        self._named_cursors: list[Any] = []
        self._initialising = True
        super().__init__(*args, **kwargs)
        self._initialising = False
        # Where it waits for its next job; None if it is not lent to one job after another.
        self.home: list[BridgedWrapper] | None = None
        self.autocommit = True

    # A greenlet of this thread holds it; Django's check is about threads and takes a lock.
    def validate_thread_sharing(self) -> None:
        """Pass: the guard of each method has already checked who is calling."""

    def ensure_connection(self) -> None:
        """Borrow a connection if there is none; outside the bridge there is nothing to do."""
        wanted = self.connection is None or self.always_ensures or self.timezone_is_stale
        if wanted and in_bridge():
            lessor.check_access(self)
            super().ensure_connection()
            if self.timezone_is_stale:
                self.ensure_timezone()

    def ensure_timezone(self) -> bool:
        """Bring the session to the time zone of the settings: in the bridge at once, else later.

        ``override_settings`` calls it, in a coroutine test on the event loop.
        """
        if self.connection is not None and on_event_loop() and not in_bridge():
            self.timezone_is_stale = True
            return False
        self.timezone_is_stale = False
        return super().ensure_timezone()

    def connect(self) -> None:
        """Borrow a connection for the running operation."""
        self.check_settings()
        if self.closed_in_transaction or self._transaction is not None:
            # The last connection was closed in a block, so its transaction is gone.
            self.reset()
        if self.alias == NO_DB_ALIAS:
            # No pool: from this database others are created and dropped.
            self.take(new_connection(self))
        elif (kept := kept_here(self.alias)) is not None:
            # In the body of a loop over a stream, which must not wait for others like it.
            self._lender = kept
            self.take(kept.facade)
            kept.lend_to(self)
        else:
            pool = self._lender = get_pool(self.alias)
            source: Any = await_holding(pool.lend())
            self.take(source.facade)
        if not self.settings_dict["AUTOCOMMIT"]:
            self.set_autocommit(False)

    def take(self, facade: BridgedConnection) -> None:
        """Put a borrowed connection in place, in Django's initial state."""
        facade.lessee = self
        self.connection = facade
        self.autocommit = True
        self.isolation_level = facade.default_isolation_level
        if "pg_version" not in self.__dict__:
            # Django would borrow a connection to ask for it.
            self.__dict__["pg_version"] = facade.pgconn.server_version

    def keeps_in_context(self) -> bool:
        """Tell that it keeps no attributes of an engine: it serves one operation after another."""
        return True

    def check_access(self) -> None:
        """Raise unless the running code may use this wrapper and its connection."""
        lessor.check_access(self)

    def may_be_used_synchronously(self) -> bool:
        """Tell whether code outside the bridge may use this wrapper here."""
        return False

    @property
    def in_outermost_block(self) -> bool:
        """Whether no more than the block is open that began the transaction."""
        return len(self.atomic_blocks) <= 1

    def drop_blocks(self) -> None:
        """Forget the blocks that a job left open."""
        self.in_atomic_block = False

    def note_interruption(self) -> None:
        """Mark the block for rollback after something that is no ``Exception``: a cancellation.

        Django marks it after an ``Exception`` only; a caller that swallows a cancellation would
        commit half a block. The end of the block raises an error that says so.
        """
        if self.in_atomic_block:
            self.needs_rollback = True
            self.given_up = interrupted(self.alias)

    def set_rollback(self, rollback: bool) -> None:
        """Say whether the block rolls back; whoever says it knows of what went before."""
        super().set_rollback(rollback)
        self.given_up = None

    def _close(self) -> None:
        self.hand_back(broken=self.in_atomic_block)

    def close_pool(self) -> None:
        """Do nothing: the pool of this loop is closed with ``await close_pools()``."""

    def hand_back(self, *, broken: bool = False) -> None:
        """Give the connection back to its pool, clean; close it if that is in doubt.

        Args:
            broken: close it in any case.
        """
        facade: BridgedConnection | None = self.connection
        if facade is None:
            return
        lender, self._lender = self._lender, None
        # Whoever has it from a stream that is closed may be in a transaction.
        lent_on = isinstance(lender, Kept) and lender.has_lent(self)
        try:
            if not broken:
                closed = self._closed_named_cursors(facade)
                broken = not (closed and (lent_on or self._clean(facade)))
        except BaseException:
            broken = True
            raise
        finally:
            if self._named_cursors:
                self.forget_named_cursors()
            if not self.in_atomic_block:
                self.connection = None
            facade.lessee = NOBODY
            _give(lender, facade, broken=broken)

    def _clean(self, facade: BridgedConnection) -> bool:
        """Bring a connection back to idle; return whether that succeeded."""
        if facade.pgconn.transaction_status != IDLE and not self._rolled_back(facade):
            return False
        facade.restore_session()
        return True

    def _rolled_back(self, facade: BridgedConnection) -> bool:
        """Roll back what a lease left open; return whether the connection is idle now."""
        job = current_job()
        status = facade.pgconn.transaction_status
        if job is None or job.abandoned or status not in (INTRANS, INERROR):
            return False
        logger.warning("Rolled back a transaction that was left open on %r", self.alias)
        with contextlib.suppress(Exception):
            await_shielded(facade.source.rollback(), grace=get_settings().CLEANUP_TIMEOUT)
        return bool(facade.pgconn.transaction_status == IDLE)

    def _closed_named_cursors(self, facade: BridgedConnection) -> bool:
        """Close on the server what a generator or a cancelled query left open; tell whether."""
        if not self._named_cursors:
            return True
        if self._open_cursors() and not facade.may_be_used():
            return False
        with facade.shielded():
            for cursor in self._named_cursors:
                # The server may not know it: its declaration was interrupted.
                with contextlib.suppress(psycopg.Error):
                    cursor.close()
        return True

    def forget_named_cursors(self) -> None:
        """Mark every named cursor as closed, whatever the server knows of it."""
        for cursor in self._named_cursors:
            psycopg.Cursor.close(cursor)
        self._named_cursors.clear()

    def finish(self) -> None:
        """Give the connection back and go where the next job finds this wrapper."""
        try:
            self.hand_back()
        finally:
            if len(vars(self)) != self._usual_size:
                self._look_for_attributes()
            self.reset()
            if self.home is not None and len(self.home) < WARM_MAX:
                self.home.append(self)

    def _look_for_attributes(self) -> None:
        """Leave to this context what its code has set on the wrapper, as on one of a thread."""
        if self.home is not None:
            carry_found(self)
        self._usual_size = len(vars(self))

    def reset(self) -> None:
        """Forget everything of a lease, so that the next finds a new wrapper's state."""
        if self._transaction is not None:
            lessor.end_transaction(self)
        # At once: setting one after the other would ask for each whether it is Django's.
        vars(self).update(
            in_atomic_block=False,
            savepoint_ids=[],
            atomic_blocks=[],
            needs_rollback=False,
            rollback_exc=None,
            commit_on_exit=True,
            closed_in_transaction=False,
            errors_occurred=False,
            run_on_commit=[],
            run_commit_hooks_on_set_autocommit_on=False,
            connection=None,
            timezone_is_stale=False,
            given_up=None,
        )

    @property
    def clean(self) -> bool:
        """Whether nothing but a connection in autocommit is held here."""
        block = self.in_atomic_block or self._transaction is not None
        return not (block or self._open_cursors() or self._in_transaction())

    @property
    def left_open(self) -> bool:
        """Whether a transaction would be rolled back if the connection were given back now."""
        if self.connection is None or not self.settings_dict["AUTOCOMMIT"]:
            return False
        return not self.autocommit or self._in_transaction()

    def _in_transaction(self) -> bool:
        """Tell whether a transaction is open on the server, also one that raw SQL began."""
        facade: BridgedConnection | None = self.connection
        return facade is not None and facade.pgconn.transaction_status in (INTRANS, INERROR)

    def _open_cursors(self) -> bool:
        return any(not cursor.closed for cursor in self._named_cursors)

    @property
    def _named_cursor_idx(self) -> int:
        """The number in the name of the next named cursor.

        Django counts by wrapper; several of ours may use one session, which has each name once.
        """
        found: int = vars(self).get("_named_cursor_idx", 0)
        return found

    @_named_cursor_idx.setter
    def _named_cursor_idx(self, value: int) -> None:
        vars(self)["_named_cursor_idx"] = next(_cursor_numbers)

    def create_cursor(self, name: str | None = None) -> Any:
        """Create a cursor, and remember it if the server keeps it open."""
        if not name:
            return super().create_cursor(name)
        # It is closed before the connection goes back, so it leaves no trace in the session.
        with preparing():
            cursor = super().create_cursor(name)
        self._named_cursors = [other for other in self._named_cursors if not other.closed]
        self._named_cursors.append(closed_anywhere(cursor))
        return cursor

    @property
    def prepares_session(self) -> bool:
        """Whether the engine's own code is at work: it does the same for each lease."""
        return is_preparing()

    # No cancellation may come between a transaction and its end. It is raised where Django's
    # `Atomic` has left its block, and has nothing more to do.
    def savepoint_commit(self, sid: str) -> None:
        """Release a savepoint, which is the last that an inner block does."""
        lessor.check_access(self)
        super().savepoint_commit(sid)
        deliver_cancellation()

    def savepoint_rollback(self, sid: str) -> None:
        """Roll back to a savepoint."""
        lessor.check_access(self)
        super().savepoint_rollback(sid)
        deliver_cancellation()

    def set_autocommit(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        """Switch autocommit; switched on again, the outermost block has been left."""
        super().set_autocommit(autocommit, *args, **kwargs)
        if autocommit:
            deliver_cancellation()

    def _commit(self) -> None:
        with self._shielded():
            super()._commit()

    def _rollback(self) -> None:
        with self._shielded():
            super()._rollback()

    def _savepoint_commit(self, sid: str) -> None:
        with self._shielded():
            super()._savepoint_commit(sid)

    def _savepoint_rollback(self, sid: str) -> None:
        with self._shielded():
            super()._savepoint_rollback(sid)

    def _shielded(self) -> contextlib.AbstractContextManager[Any]:
        if self.connection is None:
            return contextlib.nullcontext()
        shielded: contextlib.AbstractContextManager[Any] = self.connection.shielded()
        return shielded

    def _set_autocommit(self, autocommit: bool) -> None:
        lessor.check_access(self)
        super()._set_autocommit(autocommit)
        if not autocommit:
            lessor.begin_transaction(self)
        elif self._transaction is not None:
            lessor.end_transaction(self)

    def on_commit(self, func: Callable[[], Any], robust: bool = False) -> None:
        """Register a callback, synchronous or not, for after the commit."""
        super().on_commit(CommitHook.of(func), robust)

    @property
    def queries_log(self) -> deque[dict[str, str]]:
        """The queries of this context, as ``connection.queries`` shows them."""
        return query_log(self.alias, self.queries_limit).queries

    @queries_log.setter
    def queries_log(self, value: deque[dict[str, str]]) -> None:
        if not self._initialising:
            query_log(self.alias, self.queries_limit).queries = value

    @property
    def force_debug_cursor(self) -> bool:
        """Whether queries are logged in this context even without ``DEBUG``."""
        log = find_query_log(self.alias)
        return log is not None and log.forced

    @force_debug_cursor.setter
    def force_debug_cursor(self, value: bool) -> None:
        if not self._initialising:
            query_log(self.alias, self.queries_limit).forced = value

    @property
    def execute_wrappers(self) -> Any:
        """The hooks around each statement: the connection's own, then this context's."""
        if _is_made(self):
            return self.connection.execute_wrappers
        return Hooks((*_own_hooks(self), *context_hooks(self.alias)), self)

    @execute_wrappers.setter
    def execute_wrappers(self, value: Any) -> None:
        if self._initialising:
            return
        if _is_made(self):
            self.connection.execute_wrappers = value
            return
        own = _own_hooks(self)
        kept = [hook for hook in own if hook in value]
        if kept != own:
            self.connection.execute_wrappers = kept
        set_context_hooks(self.alias, tuple(hook for hook in value if hook not in own))

    @contextlib.contextmanager
    def execute_wrapper(self, wrapper: Any) -> Iterator[None]:
        """Call a hook around each statement that this context and its tasks execute."""
        with added_hook(self.alias, wrapper):
            yield


def _is_made(wrapper: Any) -> bool:
    """Tell whether a wrapper's connection is being prepared: what is added stays with that."""
    return wrapper.connection is not None and vars(wrapper).get(SETTLING, False)


def _own_hooks(wrapper: Any) -> list[Any]:
    """Return the hooks that receivers of ``connection_created`` have added."""
    hooks: list[Any] = [] if wrapper.connection is None else wrapper.connection.execute_wrappers
    return hooks


def _give(lender: Lender | None, facade: BridgedConnection, *, broken: bool) -> None:
    if lender is None:
        finish(facade.source)
    elif broken:
        lender.discard(facade.source)
    else:
        lender.take_back(facade.source)


def interrupted(alias: str) -> TransactionManagementError:
    """Return the error of a block that would end without one after an interruption in it."""
    return TransactionManagementError(
        f"The atomic block of database {alias!r} was rolled back: an operation in it was "
        "interrupted, by a timeout or a cancellation, and may be half done. Let the exception "
        "leave the block, or put the operation into an `async with atomic():` of its own inside "
        "the timeout."
    )


class CommitHook:
    """A callback for after the commit; a coroutine that it returns is awaited."""

    def __init__(self, function: Callable[[], Any]) -> None:
        update_wrapper(self, function)
        self.function = function
        # Django before 6.1 asks for it when it logs a failure, and a partial has none.
        self.__qualname__ = getattr(function, "__qualname__", repr(function))

    @classmethod
    def of(cls, function: Any) -> Any:
        """Return the hook for a callback; what is no callback as it is, for Django to refuse."""
        return cls(function) if callable(function) and not isinstance(function, cls) else function

    def __call__(self) -> Any:
        """Call it, and wait for a coroutine that it returns, in the bridge or in this thread."""
        result = self.function()
        # A task goes on by itself, and a future is somebody else's: nobody meant to wait for it.
        if isfuture(result) or not isawaitable(result):
            return result
        return await_(result) if on_event_loop() else wait_here(result)

    def __repr__(self) -> str:
        return repr(self.function)

    def __eq__(self, other: object) -> bool:
        return self.function == (other.function if isinstance(other, CommitHook) else other)

    def __hash__(self) -> int:
        return hash(self.function)
