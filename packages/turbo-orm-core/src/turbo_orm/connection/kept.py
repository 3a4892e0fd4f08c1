"""The connection that an open stream keeps, and the statements of its loop's body.

In Django the body of a loop over ``iterator()`` uses the loop's own connection. Were the body to
ask the pool for another, as many loops as the pool has connections would wait for each other.
"""

from __future__ import annotations

import asyncio
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

# By the task that reads them; the innermost stream is the last.
_streams: WeakKeyDictionary[asyncio.Task[Any], list[Kept]] = WeakKeyDictionary()


class Kept:
    """What lends a stream's connection on, one wrapper at a time; stands before the true lender.

    Args:
        wrapper: the stream's own, with a connection.
    """

    def __init__(self, wrapper: BridgedWrapper) -> None:
        assert wrapper._lender is not None
        self.alias = wrapper.alias
        self.facade = wrapper.connection
        self._stream = wrapper
        self._lender, wrapper._lender = wrapper._lender, self
        # The last has it; those before have lent it on.
        self._users = [wrapper]
        self._reader: asyncio.Task[Any] | None = None
        self._gone = False
        # Whether the server may keep something open that nobody can close.
        self._spoilt = False
        self.facade.lessee = self

    def read_here(self) -> None:
        """Note that the running task has read the stream: the loop's body is in this task."""
        task = asyncio.current_task()
        if task is not self._reader:
            self._forget_reader()
            self._reader = task
            if task is not None:
                _streams.setdefault(task, []).append(self)

    def _forget_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        found = _streams[reader]
        found.remove(self)
        if not found:
            del _streams[reader]

    @property
    def is_free(self) -> bool:
        """Whether nobody but the stream has the connection, and its cursor needs no transaction."""
        if self._gone or self._users != [self._stream]:
            return False
        return bool(self.facade.pgconn.transaction_status == IDLE)

    def lend_to(self, wrapper: BridgedWrapper) -> None:
        """Note that a wrapper uses the connection too."""
        self._users.append(wrapper)
        self.facade.lessee = self

    def has_lent(self, wrapper: BridgedWrapper) -> bool:
        """Tell whether another has the connection from a wrapper, and may be in a transaction."""
        return self._users[-1] is not wrapper

    def take_back(self, source: AsyncConnection[Any]) -> None:
        """Give the connection to the true lender if nobody uses it any more."""
        self._users = [user for user in self._users if user.connection is self.facade]
        if self._stream not in self._users:
            self._forget_reader()
        if self._users:
            self.facade.lessee = self
            self._spoilt |= self.facade.pgconn.transaction_status not in SANE
        elif self._spoilt:
            self.discard(source)
        elif not self._gone:
            self._gone = True
            self._lender.take_back(source)

    def discard(self, source: AsyncConnection[Any]) -> None:
        """Close the connection: whoever else uses it meets that at its next statement."""
        if not self._gone:
            self._gone = True
            self._forget_reader()
            self._lender.discard(source)

    # The lessee of the connection: for each job the one of its own wrapper.

    @property
    def prepares_session(self) -> bool:
        """Whether the engine's own code is at work."""
        return is_preparing()

    def check_access(self) -> None:
        """Raise unless the running code may use the connection now."""
        self._user_here().check_access()

    def note_interruption(self) -> None:
        """Let the running job's wrapper hear of a statement that was interrupted."""
        self._user_here().note_interruption()

    def _user_here(self) -> BridgedWrapper:
        job = current_job()
        scope = None if job is None else job.scope
        found = None if scope is None else scope.wrappers.get(self.alias)
        # Another stream's may use it as well, read in turn with this one.
        ours = found is not None and found.connection is self.facade
        return found if ours else self._users[-1]  # type: ignore[return-value]


Lender = Pool | Kept


def kept_here(alias: str) -> Kept | None:
    """Return the connection of a stream that the running task reads, for the body of its loop.

    Args:
        alias: the database.

    Returns:
        None if there is none, or if the stream's body uses it already.
    """
    if not _streams:
        return None
    task = asyncio.current_task()
    if task is None:
        return None
    found = (kept for kept in reversed(_streams.get(task, ())) if kept.alias == alias)
    return next((kept for kept in found if kept.is_free), None)
