"""Which wrapper ``connections[alias]`` is in the bridge: this operation's or its transaction's."""

from __future__ import annotations

import asyncio

from django.db.utils import OperationalError

from ..bridge import Job, await_, await_shielded, current_job
from ..conf import get_settings
from .engine import take_wrapper
from .scope import Scope, scope_of
from .transactions import Hold, Transaction, Turn, current_hold, set_hold
from .wrapper import BridgedWrapper


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
    return borrow(scope, alias) if hold is None else take_turn(scope, alias, hold)


def borrow(scope: Scope, alias: str) -> BridgedWrapper:
    """Take a wrapper, without a connection yet, for one job alone."""
    wrapper = scope.wrappers[alias] = take_wrapper(alias)
    return wrapper


def take_turn(scope: Scope, alias: str, hold: Hold, *, shielded: bool = False) -> BridgedWrapper:
    """Wait for the turn of a job in the transaction of its context."""
    transaction, outer = hold
    if outer is not None and outer.released:
        outer = None
    lock = transaction.lock if outer is None else outer.nested
    acquire = _acquire_shielded if shielded else _acquire
    acquire(transaction, lock)
    if transaction.ended:
        lock.release()
        current_hold(alias)  # raises the error that explains it
        return borrow(scope, alias)
    turn = scope.turns[alias] = Turn(transaction, outer, lock)
    scope.wrappers[alias] = transaction.wrapper
    set_hold(alias, Hold(transaction, turn))
    return transaction.wrapper


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
            f"The transaction of database {transaction.alias!r} was rolled back: another task "
            f"still used its connection {grace:g} s after the block was cancelled"
        ) from error


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
    return scope.wrappers.get(alias) or take_turn(scope, alias, hold, shielded=True)


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
