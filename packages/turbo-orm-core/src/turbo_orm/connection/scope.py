"""Which wrapper ``connections[alias]`` is in the bridge: this operation's, block's or stream's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.core.exceptions import SynchronousOnlyOperation
from django.db.utils import InterfaceError, OperationalError

from ..bridge import Job, await_, await_shielded, current_job
from ..conf import get_settings
from .transactions import Hold, Transaction, Turn, current_hold, set_hold

if TYPE_CHECKING:
    from .wrapper import BridgedWrapper

# Set by `engine`, which knows how wrappers are made and kept warm.
take_wrapper: Callable[[str], BridgedWrapper]
keep_wrapper: Callable[[BridgedWrapper], None]


class Scope:
    """The wrappers that one job may use."""

    __slots__ = ("begun", "private", "turns", "wrappers")

    def __init__(self) -> None:
        self.wrappers: dict[str, BridgedWrapper] = {}
        self.turns: dict[str, Turn] = {}
        # Transactions that end with this job at the latest.
        self.begun: list[Transaction] = []
        # Wrappers that the job's own code made: `connection.copy()`, the maintenance database.
        self.private: list[BridgedWrapper] = []

    def borrow(self, alias: str) -> BridgedWrapper:
        """Take a wrapper, without a connection yet, for this job alone."""
        wrapper = self.wrappers[alias] = take_wrapper(alias)
        return wrapper

    def take_turn(self, alias: str, hold: Hold, *, shielded: bool = False) -> BridgedWrapper:
        """Wait for the turn of this job in the transaction of its context."""
        transaction, outer = hold
        if outer is not None and outer.released:
            outer = None
        lock = transaction.lock if outer is None else outer.nested
        acquire = _acquire_shielded if shielded else _acquire
        acquire(transaction, lock)
        if transaction.ended:
            lock.release()
            current_hold(alias)  # raises the error that explains it
            return self.borrow(alias)
        turn = self.turns[alias] = Turn(transaction, outer, lock)
        self.wrappers[alias] = transaction.wrapper
        set_hold(alias, Hold(transaction, turn))
        return transaction.wrapper

    def release_turn(self, alias: str) -> None:
        """Let the next job of the transaction have its turn."""
        turn = self.turns.pop(alias, None)
        if turn is None:
            return
        turn.released = True
        turn.lock.release()
        self.wrappers.pop(alias, None)
        if not turn.transaction.ended:
            set_hold(alias, Hold(turn.transaction, turn.outer))

    def suspend(self) -> None:
        """Give back what is not needed while the coroutine of a portal waits."""
        for alias in list(self.turns):
            self.release_turn(alias)
        for wrapper in self.wrappers.values():
            if wrapper.connection is not None and wrapper.clean:
                wrapper.hand_back()

    def exit(self) -> None:
        """Give everything back at the end of the job."""
        for alias in list(self.turns):
            self.release_turn(alias)
        for transaction in self.begun:
            if not transaction.ended:
                self.wrappers[transaction.alias] = transaction.wrapper
        self.begun.clear()
        self._hand_back_all()

    def _hand_back_all(self) -> None:
        while self.wrappers or self.private:
            wrapper = self.wrappers.popitem()[1] if self.wrappers else self.private.pop()
            wrapper.in_atomic_block = False
            keep_wrapper_after(wrapper)


def take_wrapper_for(alias: str) -> BridgedWrapper:
    """Take a wrapper, without a connection yet, that belongs to no job."""
    return take_wrapper(alias)


def keep_wrapper_after(wrapper: BridgedWrapper) -> None:
    """Give a wrapper's connection back and keep the wrapper for another job."""
    try:
        wrapper.hand_back()
    finally:
        wrapper.reset()
        if wrapper.shared:
            keep_wrapper(wrapper)


def _acquire(transaction: Transaction, lock: asyncio.Lock) -> None:
    try:
        await_(lock.acquire())
    except Exception:
        raise
    except BaseException:
        transaction.wrapper.note_interruption()
        raise


def _acquire_shielded(transaction: Transaction, lock: asyncio.Lock) -> None:
    grace = get_settings().CLEANUP_TIMEOUT
    try:
        await_shielded(lock.acquire(), grace=grace)
    except TimeoutError as error:
        transaction.expire()
        raise OperationalError(
            f"The transaction of database {transaction.alias!r} was rolled back: another task still "
            f"used its connection {grace:g} s after the block was cancelled"
        ) from error


def scope_of(job: Job) -> Scope:
    """Return the scope of a job, begun with its first use of a database."""
    if job.scope is None:
        job.scope = Scope()
    found: Scope = job.scope
    return found


def resolve(job: Job, alias: str) -> BridgedWrapper:
    """Return the wrapper that this job uses for an alias.

    Raises:
        TransactionManagementError: the task outlived the block in which it was started.
    """
    scope = scope_of(job)
    wrapper = scope.wrappers.get(alias)
    if wrapper is not None:
        return wrapper
    hold = current_hold(alias)
    return scope.borrow(alias) if hold is None else scope.take_turn(alias, hold)


def check_access(wrapper: BridgedWrapper) -> None:
    """Raise unless the running code may use this wrapper.

    Raises:
        SynchronousOnlyOperation: on the event loop, outside the bridge.
        InterfaceError: the wrapper was lent for an operation that has ended.
    """
    job = current_job()
    if job is None:
        raise SynchronousOnlyOperation(
            f"Database {wrapper.alias!r} was used synchronously on the event loop, outside the "
            "bridge. Await the awaitable form instead (`await queryset.alist()`, `async for`, "
            "`await Model.objects.aget(...)`, `await instance.asave()`, "
            '`await instance.afetch("relation")`), or run the synchronous code with '
            "`await run_sync(function)`."
        )
    scope: Scope | None = job.scope
    if scope is not None and scope.wrappers.get(wrapper.alias) is wrapper:
        return
    scope = scope_of(job)
    if wrapper in scope.private:
        return
    if wrapper.shared:
        raise InterfaceError(
            f"This connection object of database {wrapper.alias!r} belonged to an operation that "
            "has ended. Ask `django.db.connections` for the present one, or do all the work in a "
            "single `await run_sync(function)`."
        )
    scope.private.append(wrapper)


def begin_transaction(wrapper: BridgedWrapper) -> None:
    """Put the running context into the transaction that the wrapper begins."""
    job = current_job()
    if wrapper._transaction is not None or job is None or not wrapper.shared:
        return
    scope = scope_of(job)
    transaction = wrapper._transaction = Transaction(wrapper)
    # Nobody else knows of the lock yet, so this never waits.
    await_(transaction.lock.acquire())
    turn = scope.turns[wrapper.alias] = Turn(transaction, None, transaction.lock)
    scope.begun.append(transaction)
    set_hold(wrapper.alias, Hold(transaction, turn))


def end_transaction(wrapper: BridgedWrapper) -> None:
    """Take the running context out of the transaction; whoever still waits for it gets an error."""
    transaction, wrapper._transaction = wrapper._transaction, None
    if transaction is None:
        return
    transaction.ended = True
    set_hold(wrapper.alias, None)
    job = current_job()
    turn = job.scope.turns.pop(wrapper.alias, None) if job is not None and job.scope else None
    if turn is not None:
        turn.released = True
        turn.lock.release()


def take_last_turn(alias: str) -> BridgedWrapper:
    """Wait for the turn in which a block is left; a cancellation does not keep it from ending.

    Raises:
        OperationalError: the turn did not come in time; the transaction was rolled back.
    """
    job = current_job()
    hold = current_hold(alias)
    if job is None or hold is None:
        raise RuntimeError("take_last_turn() was called outside the bridge or a transaction")
    scope = scope_of(job)
    return scope.wrappers.get(alias) or scope.take_turn(alias, hold, shielded=True)


def pin(alias: str) -> None:
    """Let the transaction that this job began outlive it, for an asynchronous block."""
    job = current_job()
    hold = current_hold(alias)
    if job is None or hold is None:
        raise RuntimeError("pin() was called outside the bridge or outside a transaction")
    transaction = hold.transaction
    scope = scope_of(job)
    scope.begun.remove(transaction)
    scope.release_turn(alias)
    if transaction.task is not None:
        transaction.task.add_done_callback(transaction.expire)


def unpin(transaction: Transaction) -> None:
    """Let the transaction end with this job at the latest."""
    job = current_job()
    if job is None:
        raise RuntimeError("unpin() was called outside the bridge")
    scope_of(job).begun.append(transaction)
    if transaction.task is not None:
        transaction.task.remove_done_callback(transaction.expire)
