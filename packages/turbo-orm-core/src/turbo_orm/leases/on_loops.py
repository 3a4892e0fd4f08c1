"""A caller's connection as the loop sees it, while the caller waits in ``async_to_sync``.

The connection stays in the caller's thread: there each statement is executed, as in Django.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import psycopg

from ..bridge import await_holding, await_shielded, in_bridge
from ..callers import Caller, call_at_once, call_back, current_caller, own_turn
from ..connection.carried import Carrying
from ..connection.engine import bridged_class, engine_class, wrapper_of_thread
from ..connection.facade import BridgedConnection, StatementLock
from ..connection.named import closed_anywhere
from ..connection.watched import change_session, preparing, statement_turn
from ..connection.wrapper import BridgedWrapper
from .decision import Standing
from .guests import Guest
from .holds import stand, too_late
from .in_threads import ThreadGuest, guest_in_thread

# Seconds. Where a thread waits without a limit, nothing else can be done meanwhile.
NO_LIMIT = 24 * 60 * 60.0

# Whether the session's settings must be looked at, in the thread, before what is executed next.
_looks: ContextVar[bool] = ContextVar("turbo_orm.looks_at_session", default=False)


class TurnLock(StatementLock):
    """One statement at a time, and none beside the block that another task has open.

    Who has the lock waits for no block any more: the block's own statements need the lock.
    """

    def __init__(self, guest: LoopGuest) -> None:
        super().__init__(NO_LIMIT)
        self._guest = guest

    def __enter__(self) -> None:
        super().__enter__()
        while self._guest.is_outside_open_block():
            # Opened while this task waited, or before.
            super().__exit__()
            self._await_turn()
            super().__enter__()

    def _await_turn(self) -> None:
        turn = own_turn(self._guest.caller, self._guest.alias)
        if self.shielded:
            await_shielded(turn, grace=NO_LIMIT)
        else:
            await_holding(turn)


class LoopFace(BridgedConnection):
    """A thread's connection, used in the bridge on the loop that the thread waits for."""

    __slots__ = ("_guest", "_plain", "lock")

    lock: Any
    _guest: LoopGuest
    _plain: Any

    @classmethod
    def of(cls, plain: Any, guest: LoopGuest) -> LoopFace:
        """Return the face of a connection for a guest."""
        face = cls.__new__(cls)
        face.__dict__ = plain.__dict__
        face._plain, face._guest = plain, guest
        face.lock = TurnLock(guest)
        return face

    def __del__(self, *warn: Any) -> None:
        """Pass: the connection is not the loop's to close."""

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Have a psycopg generator driven in the thread of the caller."""
        self._guest.check_access()
        looks = _looks.get()
        if looks:
            _looks.set(False)
        waiting = call_at_once(_wait, (self._plain, looks, gen, *args), kwargs)
        if self.lock.shielded:
            return self._wait_shielded(waiting)
        try:
            return await_holding(waiting)
        except Exception:
            raise
        except BaseException:
            self._guest.note_interruption()
            raise

    def look_later(self, looks: bool) -> None:
        """Let the thread look at the session's settings: here another task might come between.

        Args:
            looks: whether the next statement needs settings.
        """
        _looks.set(looks)

    @property
    def _grace(self) -> float:  # type: ignore[override]
        return NO_LIMIT

    def may_be_used(self) -> bool:
        """Tell whether the running code may use the connection and can wait for it."""
        return in_bridge() and current_caller() is self._guest.caller


def _wait(plain: Any, looks: bool, gen: Any, *args: Any, **kwargs: Any) -> Any:
    with statement_turn(plain):
        if looks:
            change_session(plain)
        with plain.lock:
            return plain.wait(gen, *args, **kwargs)


def _of_host(name: str) -> property:
    def get(self: Any) -> Any:
        return getattr(self.host, name)

    def put(self: Any, value: Any) -> None:
        setattr(self.host, name, value)

    return property(get, put)


class LoopGuest(Guest, BridgedWrapper):
    """Mixed into the bridged class of the engine: the wrapper of the thread that waits."""

    __slots__ = ()

    is_guest = True
    # What is open goes on in the thread.
    left_open = False
    home = None
    _initialising = False
    _lender = None
    _transaction = None
    queries_log = _of_host("queries_log")
    force_debug_cursor = _of_host("force_debug_cursor")
    execute_wrappers = _of_host("execute_wrappers")

    caller: Caller
    host: Any
    _face: LoopFace | None

    @classmethod
    def of(cls, caller: Caller, host: Any) -> LoopGuest:
        """Return a guest at the wrapper of a caller's thread."""
        guest = cls.__new__(cls)
        guest.share_state(host)
        guest.caller, guest.host = caller, host
        guest._face, guest._parts = None, {}
        return guest

    @property
    def connection(self) -> Any:
        """The connection's face for the loop."""
        own = isinstance(self.host, ThreadGuest)
        plain = self.host.connection if own else self.__dict__["connection"]
        if plain is None:
            return None
        if self._face is None or self._face._plain is not plain:
            self._face = LoopFace.of(plain, self)
        return self._face

    @connection.setter
    def connection(self, value: Any) -> None:
        self.__dict__["connection"] = value

    def keeps_in_context(self) -> bool:
        """Tell whether what an engine sets belongs to the context: if it does in the thread."""
        # A thread's wrapper of Django's own engine is left as it is.
        return isinstance(self.host, Carrying) and self.host.keeps_in_context()

    def check_access(self) -> None:
        """Raise unless the caller still waits for this code."""
        if current_caller() is not self.caller:
            raise psycopg.InterfaceError(
                f"This connection object of database {self.alias!r} belongs to a thread that "
                "called `async_to_sync` and no longer waits. Ask `django.db.connections` for the "
                "present one."
            )

    def is_outside_open_block(self) -> bool:
        """Tell whether a task has a block open here in which the running code is not."""
        return self.caller.foreign_block(self.alias) is not None

    def _at_home(self, function: Any, *args: Any) -> Any:
        return await_holding(call_back(self.caller, function, args))

    def ensure_connection(self) -> None:
        """Connect, in the thread; outside the bridge there is nothing to do."""
        if self.__dict__["connection"] is None and in_bridge():
            self._at_home(_connect, self.host)

    def ensure_timezone(self) -> bool:
        """Bring the session to the settings, in the thread; outside the bridge do nothing.

        Django does not know the thread's connection there at all.
        """
        return in_bridge() and bool(self._at_home(self.host.ensure_timezone))

    def connect(self) -> None:
        """Connect, in the thread."""
        self._at_home(self.host.connect)

    def close(self) -> None:
        """Close the connection, in the thread; outside the bridge there is nothing to do."""
        if in_bridge():
            self._at_home(self.host.close)

    def close_if_unusable_or_obsolete(self) -> None:
        """Close the connection if it is of no more use; outside the bridge do nothing."""
        if in_bridge():
            self._at_home(self.host.close_if_unusable_or_obsolete)

    @contextlib.contextmanager
    def temporary_connection(self) -> Iterator[Any]:
        """Give a cursor, and leave the connection to the thread, which closes its own.

        Another task of the same caller may use it by then.
        """
        with self.cursor() as cursor:
            yield cursor

    def create_cursor(self, name: str | None = None) -> Any:
        """Create a cursor."""
        if not name:
            return super(BridgedWrapper, self).create_cursor(name)
        with preparing():
            cursor = super(BridgedWrapper, self).create_cursor(name)
        return closed_anywhere(cursor)

    def _set_autocommit(self, autocommit: bool) -> None:
        super(BridgedWrapper, self)._set_autocommit(autocommit)

    def execute_wrapper(self, wrapper: Any) -> Any:
        """Call a hook around each statement, as the thread's wrapper does."""
        return self.host.execute_wrapper(wrapper)

    def hand_back(self, *, broken: bool = False) -> None:
        """Keep the connection: it is the thread's."""

    def finish(self) -> None:
        """Keep the connection: it is the thread's."""

    def drop_blocks(self) -> None:
        """Keep the blocks: they end where they began."""


def _connect(wrapper: Any) -> None:
    wrapper.ensure_connection()
    # Django would ask for it on the loop.
    _ = wrapper.pg_version


def guest_on_loop(caller: Caller, alias: str) -> LoopGuest:
    """Return what ``connections[alias]`` is on the loop while a caller waits.

    Raises:
        TransactionManagementError: the block from which the caller was called has ended.
    """
    host = _host(caller, alias)
    guest: LoopGuest | None = caller.guests.get(alias)
    if guest is None or guest.host is not host:
        guest = caller.guests[alias] = _class_of(engine_class(alias)).of(caller, host)
    return guest


def _host(caller: Caller, alias: str) -> Any:
    """Return the wrapper that ``connections[alias]`` is in the thread of a caller."""
    standing, hold = stand(alias) if caller.host is not None else (Standing.NONE, None)
    if hold is not None and hold.transaction.lends and hold.transaction.loop is caller.host:
        if standing is Standing.LATE:
            raise too_late(hold.transaction)
        return guest_in_thread(hold, caller.thread)
    return wrapper_of_thread(caller.wrappers, alias, caller.thread)


@functools.lru_cache(maxsize=16)
def _class_of(engine: Any) -> Any:
    slots = ("_face", "_parts", "caller", "host")
    return type(engine.__name__, (LoopGuest, bridged_class(engine)), {"__slots__": slots})
