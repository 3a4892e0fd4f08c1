"""The connection that open streams keep, and the statements of their loops' bodies.

Those have another one if the pool has it at hand. If not, they have the stream's, as the body of a
loop over ``iterator()`` in Django: were it to wait, as many loops as the pool has connections would
wait for each other.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from ..bridge import current_job
from ..pool import Pool
from .watched import is_preparing

if TYPE_CHECKING:
    from .wrapper import BridgedWrapper

IDLE = TransactionStatus.IDLE
# Where a cursor that the server keeps can be closed.
SANE = (IDLE, TransactionStatus.INTRANS)

# By the task that reads their streams, once for each; the innermost is the last.
_kept: WeakKeyDictionary[asyncio.Task[Any], list[Kept]] = WeakKeyDictionary()


class Kept:
    """What lends a stream's connection on, to the body of its loop; stands before the true lender.

    Streams that are begun in the body use the connection too, and one wrapper that is no stream's.

    Args:
        stream: the wrapper of the first stream, with a connection.
    """

    def __init__(self, stream: BridgedWrapper) -> None:
        pool = stream._lender
        assert isinstance(pool, Pool)
        self.alias = stream.alias
        self.facade = stream.connection
        self.pool, stream._lender = pool, self
        self._users = [stream]
        # The task that reads each stream; None while it fetches rows. Weak: a task that nobody
        # needs any more must not stay because of a stream that nobody can close.
        self._readers: dict[BridgedWrapper, weakref.ref[asyncio.Task[Any]] | None] = {}
        self._gone = False
        # Whether the server may keep something open that nobody can close.
        self._spoilt = False
        self.facade.lessee = self

    @classmethod
    def of(cls, stream: BridgedWrapper) -> Kept | None:
        """Return what lends a stream's connection on; None if it has none of a pool.

        Args:
            stream: the wrapper of the stream.
        """
        lender = stream._lender
        return cls(stream) if isinstance(lender, Pool) else lender

    def begin_reading(self, stream: BridgedWrapper) -> None:
        """Lend to nobody while a stream fetches rows: it might find itself in a transaction."""
        if stream in self._readers:
            self._forget_reader(stream)
            self._readers[stream] = None

    def end_reading(self, stream: BridgedWrapper) -> None:
        """Note that the running task has read a stream: the loop's body is in this task."""
        self._forget_reader(stream)
        task = asyncio.current_task()
        self._readers[stream] = None if task is None else weakref.ref(task)
        if task is not None:
            _kept.setdefault(task, []).append(self)

    def _forget_reader(self, stream: BridgedWrapper) -> None:
        reader = self._readers.pop(stream, None)
        task = None if reader is None else reader()
        if task is None:
            return
        found = _kept[task]
        found.remove(self)
        if not found:
            del _kept[task]

    def is_free_for(self, task: asyncio.Task[Any]) -> bool:
        """Tell whether nobody but streams that a task reads has the connection, and no block."""
        if self._gone or any(user not in self._readers for user in self._users):
            return False
        if any(reader is None or reader() is not task for reader in self._readers.values()):
            return False
        return bool(self.facade.pgconn.transaction_status == IDLE)

    def lend_to(self, wrapper: BridgedWrapper) -> None:
        """Note that a wrapper uses the connection too."""
        self._users.append(wrapper)
        self.facade.lessee = self

    def has_lent(self, wrapper: BridgedWrapper) -> bool:
        """Tell whether another than a wrapper, and no stream, has the connection."""
        return any(user is not wrapper for user in self._borrowers())

    def _borrowers(self) -> list[BridgedWrapper]:
        return [user for user in self._users if user not in self._readers]

    def take_back(self, source: AsyncConnection[Any]) -> None:
        """Give the connection to the true lender if nobody uses it any more."""
        self._users = [user for user in self._users if user.connection is self.facade]
        for stream in [each for each in self._readers if each not in self._users]:
            self._forget_reader(stream)
        if self._users:
            self.facade.lessee = self
            self._spoilt |= self.facade.pgconn.transaction_status not in SANE
        elif self._spoilt:
            self.discard(source)
        elif not self._gone:
            self._gone = True
            self.pool.take_back(source)

    def discard(self, source: AsyncConnection[Any]) -> None:
        """Close the connection: whoever else uses it meets that at its next statement."""
        for stream in [*self._readers]:
            self._forget_reader(stream)
        if not self._gone:
            self._gone = True
            if self._users:
                self.facade.lessee = self
            self.pool.discard(source)

    # The lessee of the connection: for each job the one of its own wrapper.

    @property
    def prepares_session(self) -> bool:
        """Whether the engine's own code is at work."""
        return is_preparing()

    def check_access(self) -> None:
        """Raise unless the running code may use the connection now."""
        self._user_here().check_access()

    def note_interruption(self) -> None:
        """Let whoever has a block hear of a statement that was interrupted, also a stream's."""
        for user in {self._user_here(), *self._borrowers()}:
            user.note_interruption()

    def _user_here(self) -> BridgedWrapper:
        job = current_job()
        scope = None if job is None else job.scope
        found = None if scope is None else scope.wrappers.get(self.alias)
        if found is not None and found.connection is self.facade:
            return found  # type: ignore[no-any-return]
        return (self._borrowers() or self._users)[-1]


Lender = Pool | Kept


def kept_here(alias: str) -> Kept | None:
    """Return the connection of a stream that the running task reads, for the body of its loop.

    Args:
        alias: the database.

    Returns:
        None if there is none, if the body uses it already, or if the pool has another at hand.
    """
    if not _kept:
        return None
    task = asyncio.current_task()
    if task is None:
        return None
    for kept in reversed(_kept.get(task, ())):
        if kept.alias == alias and kept.is_free_for(task):
            return kept if kept.pool.has_to_wait() else None
    return None
