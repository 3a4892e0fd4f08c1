"""The wrappers that one job in the bridge may use, and their way back."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from django.core.exceptions import SynchronousOnlyOperation
from django.db.transaction import TransactionManagementError
from django.db.utils import InterfaceError, OperationalError

from ..bridge import await_holding, await_shielded, current_job
from ..callers import here
from ..conf import get_settings
from ..connection.refusal import refusal
from ..jobs import Job
from .decision import keeps_turn
from .holds import Hold, Transaction, current_hold, set_hold
from .lines import Turn
from .turns import for_task, turn_at_once, wait_for_turn

if TYPE_CHECKING:
    from ..connection.wrapper import BridgedWrapper


# How to wait for a turn.
Wait: TypeAlias = "Callable[[Transaction, Coroutine[Any, Any, Turn]], Turn]"


class Scope:
    """The wrappers that one job may use."""

    __slots__ = ("begun", "private", "refuses_open", "turns", "wrappers")

    def __init__(self) -> None:
        self.wrappers: dict[str, BridgedWrapper] = {}
        self.turns: dict[str, Turn] = {}
        # Transactions that end with this job at the latest.
        self.begun: list[Transaction] = []
        # Wrappers that the job's own code made: `connection.copy()`, the maintenance database.
        self.private: list[BridgedWrapper] = []
        # Whether a transaction that is still open at the end is an error.
        self.refuses_open = True

    def release_turn(self, alias: str) -> None:
        """Let the next job of the transaction have its turn."""
        turn = self.turns.pop(alias, None)
        if turn is None:
            return
        turn.release()
        self.wrappers.pop(alias, None)
        if not turn.transaction.ended:
            set_hold(alias, Hold(turn.transaction, turn.outer))

    def pause(self) -> None:
        """Let others use the connection of a transaction while the job waits for something else."""
        for alias, turn in list(self.turns.items()):
            if not keeps_turn(before=turn.depth, now=turn.transaction.depth):
                self.release_turn(alias)

    def suspend(self) -> None:
        """Give back what is not needed while the coroutine of a portal waits."""
        self.pause()
        for alias, wrapper in list(self.wrappers.items()):
            if wrapper.is_guest:
                # Its caller may have stopped waiting by then.
                del self.wrappers[alias]
            elif wrapper.connection is not None and wrapper.clean:
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
        """Hand every wrapper back, also after one that fails; then raise the first error."""
        first: BaseException | None = None
        while self.wrappers or self.private:
            # The job's own until it is handed back: closing a cursor that was left open asks.
            wrapper = next(iter(self.wrappers.values())) if self.wrappers else self.private[-1]
            if first is None and self._refuses(wrapper):
                first = _left_open(wrapper.alias)
            try:
                try:
                    wrapper.drop_blocks()
                finally:
                    wrapper.finish()
            except BaseException as error:
                first = first or error
            finally:
                if self.wrappers.get(wrapper.alias) is wrapper:
                    del self.wrappers[wrapper.alias]
                else:
                    self.private.remove(wrapper)
        if first is not None:
            try:
                raise first
            finally:
                # Its traceback refers to this frame: without this, a cycle.
                del first

    def _refuses(self, wrapper: BridgedWrapper) -> bool:
        """Tell whether the end of the job is an error because of what a wrapper has open."""
        return self.refuses_open and wrapper.left_open and sys.exc_info()[1] is None


def _left_open(alias: str) -> TransactionManagementError:
    return TransactionManagementError(
        f"A transaction of database {alias!r} was left open, or autocommit was left off, at the "
        "end of run_sync(), portal() or eager(). The connection goes back to its pool there, so "
        "what was not committed was rolled back. Write `async with atomic():` around the "
        "operations, or do all of them in one function, which ends with commit() or rollback() "
        "and then set_autocommit(True)."
    )


def end_as_request() -> None:
    """Let the end of the running job roll back open transactions without an error.

    Django closes connections at the end of a request, and nobody reads an error that comes after
    the response.
    """
    job = current_job()
    assert job is not None
    scope_of(job).refuses_open = False


@contextlib.contextmanager
def swapped(scope: Scope, wrapper: BridgedWrapper) -> Iterator[None]:
    """Let another wrapper be that of a job for its alias."""
    before = scope.wrappers.get(wrapper.alias)
    scope.wrappers[wrapper.alias] = wrapper
    try:
        yield
    finally:
        if before is None:
            scope.wrappers.pop(wrapper.alias, None)
        else:
            scope.wrappers[wrapper.alias] = before


@contextlib.contextmanager
def replaced(wrapper: BridgedWrapper) -> Iterator[None]:
    """Let another wrapper be that of the running job, or of this thread, for its alias."""
    job = current_job()
    if job is not None:
        with swapped(scope_of(job), wrapper):
            yield
        return
    before = here.replaced
    here.replaced = {**before, wrapper.alias: wrapper}
    try:
        yield
    finally:
        here.replaced = before


def scope_of(job: Job) -> Scope:
    """Return the scope of a job, begun with its first use of a database."""
    if job.scope is None:
        job.scope = Scope()
    found: Scope = job.scope
    return found


def take_turn(
    scope: Scope, alias: str, hold: Hold, wait: Wait | None = None
) -> BridgedWrapper | None:
    """Wait for a job's turn in the transaction of its context; None if that ended meanwhile.

    Args:
        scope: that of the job.
        alias: the database.
        hold: what the context knows of the transaction.
        wait: how to wait: an interruption gives the innermost block up if this is None.
    """
    transaction = hold.transaction
    turn = turn_at_once(hold)
    if turn is None:
        wait = wait or _wait
        turn = wait(transaction, wait_for_turn(hold, for_task(_task())))
    if transaction.ended or transaction.closing:
        turn.release()
        current_hold(alias)  # raises the error that explains it
        return None
    begin_turn(scope, turn)
    return transaction.wrapper


def first_turn(transaction: Transaction) -> Turn:
    """Return a turn in a transaction of which nobody else knows yet: all its blocks are ours."""
    turn = Turn(transaction, None, transaction.line)
    transaction.line.begin(turn)
    return turn


def begin_turn(scope: Scope, turn: Turn) -> None:
    """Let a job have a turn: what it starts is inside it."""
    alias = turn.transaction.alias
    turn.job = current_job()
    scope.turns[alias] = turn
    scope.wrappers[alias] = turn.transaction.wrapper
    set_hold(alias, Hold(turn.transaction, turn))


def _task() -> asyncio.Task[Any] | None:
    job = current_job()
    return None if job is None else job.task


def _wait(transaction: Transaction, waiting: Coroutine[Any, Any, Turn]) -> Turn:
    try:
        return await_holding(waiting)
    except Exception:
        raise
    except BaseException:
        transaction.note_interruption()
        raise


def wait_to_enter(transaction: Transaction, waiting: Coroutine[Any, Any, Turn]) -> Turn:
    """Wait for the turn in which a block is entered: an interruption changes nothing."""
    return await_holding(waiting)


def wait_to_leave(transaction: Transaction, waiting: Coroutine[Any, Any, Turn]) -> Turn:
    """Wait for the turn in which a block is left: an interruption must not keep it open.

    Raises:
        OperationalError: the turn did not come in time; the transaction was rolled back.
    """
    grace = get_settings().CLEANUP_TIMEOUT
    try:
        return await_shielded(waiting, grace=grace)
    except TimeoutError as error:
        what = (
            f"The transaction of database {transaction.alias!r} was rolled back: another task "
            f"still used its connection {grace:g} s after the block was cancelled"
        )
        transaction.expire(TransactionManagementError(what))
        raise OperationalError(what) from error


def check_access(wrapper: BridgedWrapper) -> None:
    """Raise unless the running code may use this wrapper.

    Raises:
        SynchronousOnlyOperation: on the event loop, outside the bridge.
        InterfaceError: the wrapper was lent for an operation that has ended.
    """
    job = current_job()
    if job is None:
        if wrapper.may_be_used_synchronously():
            return
        raise SynchronousOnlyOperation(refusal(wrapper.alias))
    if wrapper.is_guest:
        wrapper.check_access()
        return
    scope: Scope | None = job.scope
    if scope is not None and scope.wrappers.get(wrapper.alias) is wrapper:
        return
    scope = scope_of(job)
    if wrapper in scope.private or _is_of_our_transaction(scope, wrapper):
        return
    if wrapper.home is not None:
        raise InterfaceError(
            f"This connection object of database {wrapper.alias!r} belonged to an operation that "
            "has ended. Ask `django.db.connections` for the present one, or do all the work in a "
            "single `await run_sync(function)`."
        )
    scope.private.append(wrapper)


def _is_of_our_transaction(scope: Scope, wrapper: BridgedWrapper) -> bool:
    """Take the turn of code that kept a wrapper from before it entered the block."""
    hold = None if wrapper.alias in scope.wrappers else current_hold(wrapper.alias)
    if hold is None or hold.transaction.wrapper is not wrapper:
        return False
    return take_turn(scope, wrapper.alias, hold) is wrapper


def begin_transaction(wrapper: BridgedWrapper) -> None:
    """Put the running context into the transaction that the wrapper begins."""
    job = current_job()
    if wrapper._transaction is not None or job is None or wrapper.home is None:
        return
    scope = scope_of(job)
    transaction = wrapper._transaction = Transaction(wrapper)
    scope.begun.append(transaction)
    begin_turn(scope, first_turn(transaction))


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
        turn.release()
