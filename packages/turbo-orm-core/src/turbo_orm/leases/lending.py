"""Which wrapper ``connections[alias]`` is in the bridge: this operation's or its transaction's."""

from __future__ import annotations

from ..bridge import current_job
from ..callers import current_caller, last_caller
from ..connection.engine import take_wrapper
from ..connection.wrapper import BridgedWrapper
from ..jobs import Job
from .decision import Lease, Place, decide
from .holds import Transaction, current_hold, stand, too_late
from .on_loops import guest_on_loop
from .scope import Scope, scope_of, take_turn, wait_to_enter, wait_to_leave


def resolve(job: Job, alias: str) -> BridgedWrapper:
    """Return the wrapper that this job uses for an alias.

    Raises:
        TransactionManagementError: the task outlived the block in which it was started.
    """
    scope = scope_of(job)
    wrapper = scope.wrappers.get(alias)
    if wrapper is not None:
        return wrapper
    if may_borrow(alias):
        return borrow(scope, alias)
    caller = current_caller()
    found, hold = stand(alias)
    lease = decide(Place.JOB, found, called=caller is not None)
    if caller is not None and lease is Lease.CALLER:
        guest = scope.wrappers[alias] = guest_on_loop(caller, alias)
        return guest
    if hold is not None and lease is Lease.REFUSED:
        raise too_late(hold.transaction)
    taken = None if hold is None else take_turn(scope, alias, hold)
    return taken or borrow(scope, alias)


def borrow(scope: Scope, alias: str) -> BridgedWrapper:
    """Take a wrapper, without a connection yet, for one job alone."""
    wrapper = scope.wrappers[alias] = take_wrapper(alias)
    return wrapper


def may_borrow(alias: str) -> bool:
    """Tell whether code on the loop may take a connection from the pool, for itself alone.

    The answer of ``decide``, found sooner where nobody waits and no block is open.

    Raises:
        TransactionManagementError: the task outlived the block in which it was started.
    """
    if last_caller() is not None and current_caller() is not None:
        return False
    return current_hold(alias) is None


def holds_connection(alias: str) -> bool:
    """Tell whether the running job has a connection of an alias: all it does is done on that."""
    job = current_job()
    scope = None if job is None else job.scope
    wrapper = None if scope is None else scope.wrappers.get(alias)
    return wrapper is not None and wrapper.connection is not None


def take_first_turn(alias: str) -> None:
    """Wait for the turn in which a block is entered; a cancellation leaves the outer one alone."""
    job = current_job()
    hold = current_hold(alias)
    if job is not None and hold is not None:
        scope = scope_of(job)
        if alias not in scope.wrappers:
            take_turn(scope, alias, hold, wait_to_enter)


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
    held = scope.wrappers.get(alias) or take_turn(scope, alias, hold, wait_to_leave)
    return held or borrow(scope, alias)


def pin(alias: str) -> None:
    """Let the transaction that this job began outlive it, for an asynchronous block."""
    job = current_job()
    hold = current_hold(alias)
    if job is None or hold is None:
        raise RuntimeError("pin() was called outside the bridge or outside a transaction")
    transaction = hold.transaction
    scope = scope_of(job)
    if transaction not in scope.begun:
        # Of a test: awaited by a block, and therefore inside it.
        return
    scope.begun.remove(transaction)
    scope.release_turn(alias)
    if transaction.task is not None:
        transaction.task.add_done_callback(transaction.note_task_end)


def unpin(transaction: Transaction) -> None:
    """Let the transaction end with this job at the latest."""
    job = current_job()
    if job is None:
        raise RuntimeError("unpin() was called outside the bridge")
    scope_of(job).begun.append(transaction)
    if transaction.task is not None:
        transaction.task.remove_done_callback(transaction.note_task_end)


def share_block(alias: str, change: int) -> None:
    """Let others into the block that this job has entered for an asynchronous one, or has left.

    Args:
        alias: the database.
        change: 1 when it was entered, -1 when it was left.
    """
    job = current_job()
    turn = scope_of(job).turns.get(alias) if job is not None else None
    if turn is not None:
        turn.depth += change
