"""One connection in one transaction for the whole process: what isolates a test.

Django's test cases begin a transaction on the synchronous connection of their thread. Here that
very connection serves the event loop too. Each job takes its turn on it; an ``atomic`` block, which
is a savepoint then, keeps its turn until it ends: blocks of several tasks do not interleave.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from typing import Any

from django.db import connections
from django.db.transaction import TransactionManagementError
from psycopg import AsyncConnection

from ..bridge import current_job, in_bridge, on_event_loop
from ..conf import get_settings
from ..connection.engine import bridged_class
from ..connection.facade import BridgedConnection
from ..connection.watched import session_of
from ..connection.wrapper import BridgedWrapper
from ..jobs import Job
from .guests import uncover_methods
from .holds import Hold, Transaction, root_of, set_hold, set_root
from .lines import Line, Turn
from .scope import begin_turn, first_turn, scope_of

# What a bridged wrapper knows of who has it.
LENT = {"_transaction": None, "_lender": None, "_named_cursors": None, "home": None}


class RootTransaction(Transaction):
    """The transaction of a test: every job on whatever loop takes turns on it."""

    is_root = True
    lends = False

    def __init__(self, wrapper: SharedWrapper) -> None:
        self.alias = wrapper.alias
        self.wrapper = wrapper
        self.task = None
        self.ended = False
        self.entered = []
        self._lines: weakref.WeakKeyDictionary[Any, Line] = weakref.WeakKeyDictionary()

    @property
    def line(self) -> Line:  # type: ignore[override]
        """The line of the running loop: whoever waits there belongs to it."""
        return self._lines.setdefault(asyncio.get_running_loop(), Line())

    @property
    def owned_by_this_task(self) -> bool:
        """Whether the running task may begin blocks: each may."""
        return True

    def expire(self, reason: TransactionManagementError | None = None) -> None:
        """Pass: it ends with its test."""

    def note_interruption(self) -> None:
        """Pass: outside of every block there is nothing to roll back."""


class BlockTransaction(Transaction):
    """An outermost ``atomic`` block inside the transaction of a test."""

    wrapper: SharedWrapper
    lends = False

    def __init__(self, wrapper: SharedWrapper, waiting: Turn) -> None:
        super().__init__(wrapper)
        self.level = len(wrapper.atomic_blocks)
        # On the test's transaction.
        self.waiting: Turn = waiting

    def expire(self, reason: TransactionManagementError | None = None) -> None:
        """End the block without waiting: what follows finds the transaction in need of rollback.

        Args:
            reason: why; what is raised where the block is used afterwards.
        """
        if not self.ended:
            self.reason = reason
            self.wrapper.drop_blocks()


class Blocks(list[Any]):
    """The open ``atomic`` blocks of a wrapper, which tells it of the outermost one on the loop."""

    def __init__(self, wrapper: SharedWrapper) -> None:
        super().__init__(wrapper.atomic_blocks)
        self._wrapper = weakref.ref(wrapper)

    def append(self, block: Any) -> None:
        """Note that a block was entered."""
        super().append(block)
        wrapper = self._wrapper()
        if wrapper is not None:
            wrapper.note_entered()

    def pop(self, index: Any = -1) -> Any:
        """Note that a block is being left."""
        block = super().pop(index)
        wrapper = self._wrapper()
        if wrapper is not None:
            wrapper.note_left()
        return block


def _own(name: str) -> property:
    """Return an attribute that is the wrapper's and not, as elsewhere, the context's."""

    def get(self: Any) -> Any:
        return self.__dict__[name]

    def put(self: Any, value: Any) -> None:
        self.__dict__[name] = value

    return property(get, put)


class SharedWrapper(BridgedWrapper):
    """Mixed into the class of a test's wrapper while the test runs, by ``share``."""

    # Whoever asks what was executed asks about the test, in whatever task it ran.
    queries_log = _own("queries_log")
    force_debug_cursor = _own("force_debug_cursor")
    execute_wrappers = _own("execute_wrappers")

    @property
    def connection(self) -> Any:
        """The connection's face for where it is used: the event loop's, or psycopg's own."""
        plain = self.__dict__["connection"]
        return self._face(plain) if plain is not None and on_event_loop() else plain

    @connection.setter
    def connection(self, value: Any) -> None:
        self.__dict__["connection"] = value

    def _face(self, plain: Any) -> BridgedConnection:
        loop = asyncio.get_running_loop()
        face = self._faces.get(loop)
        if face is None or face.pgconn is not plain.pgconn:
            source: Any = AsyncConnection(plain.pgconn, row_factory=plain.row_factory)
            source._adapters, source._prepared = plain._adapters, plain._prepared
            # As a connection in a pool: psycopg would warn of one that nobody closes.
            source._pool = None
            face = BridgedConnection(source, plain.cursor_factory, get_settings().CLEANUP_TIMEOUT)
            face.lessee = self
            face.turbo_session = session_of(plain)
            self._faces[loop] = face
        face._autocommit = plain._autocommit
        return face

    @property
    def _faces(self) -> weakref.WeakKeyDictionary[Any, BridgedConnection]:
        faces: weakref.WeakKeyDictionary[Any, BridgedConnection] = self.__dict__["_turbo_faces"]
        return faces

    def may_be_used_synchronously(self) -> bool:
        """Tell whether code outside the bridge may use this wrapper here."""
        return not on_event_loop()

    def ensure_connection(self) -> None:
        """Connect, where no loop runs; on the loop the test has a connection already."""
        if self.connection is None:
            super(BridgedWrapper, self).ensure_connection()
        elif self.timezone_is_stale and (in_bridge() or not on_event_loop()):
            self.ensure_timezone()

    def connect(self) -> None:
        """Connect as Django does."""
        self.check_access()
        super(BridgedWrapper, self).connect()

    def _close(self) -> None:
        plain = self.__dict__["connection"]
        if plain is not None:
            plain.close()

    def _shielded(self) -> Any:
        # Where no loop runs nothing can be cancelled.
        return super()._shielded() if on_event_loop() else contextlib.nullcontext()

    def _set_autocommit(self, autocommit: bool) -> None:
        self.check_access()
        super(BridgedWrapper, self)._set_autocommit(autocommit)

    def execute_wrapper(self, wrapper: Any) -> Any:
        """Call a hook around each statement of the test."""
        return super(BridgedWrapper, self).execute_wrapper(wrapper)

    # The transaction of the test goes on.
    left_open = False

    def hand_back(self, *, broken: bool = False) -> None:
        """Keep the connection: it is the test's."""

    def finish(self) -> None:
        """Keep the connection: it is the test's."""

    @property
    def in_outermost_block(self) -> bool:
        """Whether no more than the outermost block of the loop is open."""
        block = self._transaction
        return isinstance(block, BlockTransaction) and len(self.atomic_blocks) <= block.level

    def note_entered(self) -> None:
        """Let the outermost block that a job enters keep its turn."""
        job = current_job()
        if job is None or self._transaction is not None:
            return
        scope = scope_of(job)
        waiting = scope.turns.pop(self.alias)
        block = self._transaction = BlockTransaction(self, waiting)
        scope.begun.append(block)
        begin_turn(scope, first_turn(block))

    def note_left(self) -> None:
        """Let this job keep its turn to the end, now that its outermost block is being left."""
        block, job = self._transaction, current_job()
        if not isinstance(block, BlockTransaction) or len(self.atomic_blocks) >= block.level:
            return
        self._transaction = None
        block.ended = True
        if job is None:
            self._release(block)
            return
        scope = scope_of(job)
        if block in scope.begun:
            scope.begun.remove(block)
        turn = scope.turns.pop(self.alias, None)
        if turn is not None:
            turn.release()
        self._go_on(job, block)

    def _go_on(self, job: Job, block: BlockTransaction) -> None:
        scope_of(job).turns[self.alias] = block.waiting
        set_hold(self.alias, Hold(block.waiting.transaction, block.waiting))

    def _release(self, block: BlockTransaction) -> None:
        block.waiting.release()

    def drop_blocks(self) -> None:
        """Forget the blocks that a job left open; what they did must be rolled back."""
        block = self._transaction
        if not isinstance(block, BlockTransaction):
            return
        self._transaction = None
        block.ended = True
        del self.atomic_blocks[block.level - 1 :]
        del self.savepoint_ids[max(0, block.level - 2) :]
        self.needs_rollback = True
        self._release(block)


def is_shared(alias: str) -> bool:
    """Tell whether the event loop uses this thread's connection of an alias."""
    return root_of(alias) is not None


def share(alias: str) -> None:
    """Let the event loop use the connection, and the transaction, that this thread has.

    Args:
        alias: a PostgreSQL database; its connection is in an ``atomic`` block.
    """
    wrapper: Any = connections[alias]
    engine: Any = type(wrapper)
    state = vars(wrapper)
    state.update({"_turbo_engine": engine, "_turbo_faces": weakref.WeakKeyDictionary()})
    uncover_methods(wrapper)
    state.update({**LENT, "_named_cursors": []})
    state.update({"given_up": None, "timezone_is_stale": False})
    wrapper.__class__ = _shared_class(engine)
    wrapper.atomic_blocks = Blocks(wrapper)
    root = RootTransaction(wrapper)
    set_root(alias, root)


def unshare(alias: str) -> None:
    """Give the connection back to its thread alone."""
    root = root_of(alias)
    if root is None:
        return
    wrapper: Any = root.wrapper
    root.ended = True
    set_root(alias, None)
    # The end of the transaction closes them.
    wrapper.forget_named_cursors()
    state = vars(wrapper)
    wrapper.atomic_blocks = list(wrapper.atomic_blocks)
    wrapper.__class__ = state.pop("_turbo_engine")
    # What a test did to its session is rolled back with it.
    for name in ("_turbo_faces", "given_up", "timezone_is_stale", *LENT):
        state.pop(name)


@functools.lru_cache(maxsize=16)
def _shared_class(engine: Any) -> Any:
    return type(engine.__name__, (SharedWrapper, bridged_class(engine)), {})
