"""Enter and leave asynchronous blocks.

A block ends in ``__aexit__``, in its task. It may end elsewhere too: its generator is closed or
dropped, its coroutine is closed where nothing may be awaited, the task of a fixture is over. Then
its rollback runs in a task of its own, which has the turn at once: whatever comes next waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from types import FrameType, TracebackType
from typing import Any, TypeAlias

from django.db.transaction import Atomic, TransactionManagementError

from ..bridge import current_job, run_sync
from ..callers import current_caller
from ..connection.wrapper import interrupted
from ..generators import may_wait
from . import driven, lending
from .abandoned import end_soon, is_in_statement
from .atomics import alias_of, child_error, given_up, still_open
from .entered import Entered
from .errands import completed
from .holds import Hold, Transaction, current_hold, own_hold, set_hold, too_late

logger = logging.getLogger("turbo_orm")

Error: TypeAlias = "tuple[type[BaseException] | None, BaseException | None, TracebackType | None]"

# Where a block object keeps what was entered through it.
ENTERED = "_turbo_entered"


def enter(block: Atomic, generators: Sequence[AsyncGenerator[Any, Any]] = ()) -> None:
    """Enter a block in the bridge and let its transaction outlive this job.

    Args:
        block: the block.
        generators: the asynchronous generators of which the end is its end, innermost first.

    Raises:
        TransactionManagementError: it is inside the block of another task.
    """
    if current_caller() is not None:
        block.__enter__()
        return
    alias = alias_of(block)
    hold = current_hold(alias)
    if hold is not None and not _may_enter(hold.transaction):
        raise child_error(alias)
    lending.take_first_turn(alias)
    # One of its own: the same block can be entered again, and the user's alone can leave it.
    atomic = object.__new__(type(block))
    atomic.__dict__.update({key: it for key, it in vars(block).items() if key != ENTERED})
    atomic.__enter__()
    if hold is None or hold.transaction.is_root:
        lending.pin(alias)
    else:
        lending.share_block(alias, 1)
    inside = current_hold(alias)
    assert inside is not None
    entered = Entered(block, atomic, inside.transaction, generators, _end_dropped)
    inside.transaction.entered.append(entered)
    vars(block).setdefault(ENTERED, []).append(entered)


def _may_enter(transaction: Transaction) -> bool:
    """Tell whether the running task may open blocks in a transaction."""
    if transaction.owned_by_this_task:
        return True
    return transaction.adopt(anyway=bool(driven.blocks) and driven.is_step(transaction))


def leave(block: Atomic, *error: Any) -> None:
    """Leave a block in the bridge; the outermost one commits or rolls back.

    Args:
        block: the block.
        *error: what ``__aexit__`` is given.

    Raises:
        TransactionManagementError: the block was given up, or this code is not in it.
    """
    if current_caller() is not None:
        block.__exit__(*error)
    else:
        _leave(_taken(block, error), error)


async def leave_block(block: Atomic, error: Error, frame: FrameType) -> None:
    """Leave a block, also where nothing may be awaited and in a context that is not in it.

    Args:
        block: the block.
        error: what ``__aexit__`` is given.
        frame: of the code that awaits it.
    """
    if current_caller() is not None:
        await run_sync(block.__exit__, *error)
        return
    entered = _taken(block, error)
    job = current_job()
    if error[0] is GeneratorExit and (job is None or job.abandoned):
        waits = job is None and may_wait(frame)
        rest = None if entered.left else end_soon(entered.transaction, [entered])
        if rest is not None and waits:
            await asyncio.shield(rest)
        return
    try:
        await _leave_anywhere(entered, error)
    except GeneratorExit:
        # Nobody knows what became of its last statement.
        entered.transaction.expire(given_up(entered.transaction.alias))
        raise


async def _leave_anywhere(entered: Entered, error: Error) -> None:
    transaction = entered.transaction
    if entered.left or transaction.ended or own_hold(transaction) is not None:
        await run_sync(_leave, entered, error)
        return

    async def elsewhere() -> None:
        set_hold(transaction.alias, Hold(transaction, None))
        await run_sync(_leave, entered, error)

    _, cancelled = await completed(elsewhere())
    if cancelled is not None:
        raise cancelled


def _taken(block: Atomic, error: Any) -> Entered:
    """Take what was entered through a block and is left now from its list."""
    entries: list[Entered] = vars(block).get(ENTERED, [])
    if not entries:
        raise TransactionManagementError(
            f"The atomic block of database {alias_of(block)!r} was left, but it is not open. Enter "
            "it first, and leave it once."
        )
    # Several tasks, and blocks inside each other, may use one object.
    ours = [each for each in entries if own_hold(each.transaction) is not None] or entries
    closed = error[0] is GeneratorExit
    chosen = next((each for each in reversed(ours) if each.left == closed), ours[-1])
    entries.remove(chosen)
    return chosen


def _leave(entered: Entered, error: Any) -> None:
    transaction = entered.transaction
    if entered.left or transaction.ended:
        _leave_ended(entered, error)
        return
    alias = transaction.alias
    wrapper = lending.take_last_turn(alias)
    if wrapper is not transaction.wrapper:
        # It was given up while this task waited.
        _leave_ended(entered, error)
        return
    inner = wrapper.atomic_blocks[entered.level :]
    problem = _problem(entered, inner)
    if inner:
        _leave_inner(transaction, inner, problem)
    if problem is not None and error[0] is None:
        entered.exit((type(problem), problem, None))
        raise problem
    entered.exit(error)


def _leave_ended(entered: Entered, error: Any) -> None:
    """Leave a block that has been rolled back already."""
    transaction = entered.transaction
    entered.end()
    if error[0] is None:
        raise too_late(transaction) if transaction.reason else given_up(transaction.alias)


def _problem(entered: Entered, inner: list[Any]) -> TransactionManagementError | None:
    """Return why a block cannot be committed, if Django alone would not say so."""
    wrapper: Any = entered.transaction.wrapper
    alias = wrapper.alias
    if inner:
        return still_open(alias)
    if entered.interrupted or (wrapper.needs_rollback and wrapper.given_up is not None):
        return interrupted(alias)
    # Of one that was closed in the block Django says nothing at its end.
    lost = wrapper.connection is None or wrapper.connection.closed
    if lost and not wrapper.closed_in_transaction:
        return TransactionManagementError(
            f"The atomic block of database {alias!r} was rolled back: its connection was lost "
            "while it was open. Run the whole block again."
        )
    return None


def _leave_inner(transaction: Transaction, inner: list[Any], problem: Any) -> None:
    error = (type(problem), problem, None)
    for atomic in reversed(inner):
        entered = next((each for each in transaction.entered if each.atomic is atomic), None)
        if entered is None:
            atomic.__exit__(*error)
        else:
            entered.exit(error)


def _end_dropped(transaction: Transaction, reference: Any) -> None:
    """End the blocks of a generator that was dropped: Python's own ends with its last reference."""
    leaving = [each for each in transaction.entered if reference in each.generators]
    if not leaving:
        return
    job = current_job()
    elsewhere = job is None or job.abandoned or own_hold(transaction) is None
    if elsewhere or is_in_statement(transaction):
        end_soon(transaction, leaving)
        return
    try:
        for entered in reversed(leaving):
            _leave(entered, (GeneratorExit, GeneratorExit(), None))
    except BaseException:
        logger.exception("A dropped generator's block of %r failed to end", transaction.alias)
        transaction.expire(given_up(transaction.alias))
