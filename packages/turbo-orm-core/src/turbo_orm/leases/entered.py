"""Asynchronous blocks, from where they are entered to their end, whoever ends them and how.

A block ends in ``__aexit__``, in its task. It may end elsewhere too: its generator is closed or
dropped, its coroutine is closed where nothing may be awaited, the task of a fixture is over. Then
its rollback runs in a task of its own, which has the turn at once: whatever comes next waits.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, TypeAlias

from django.db.transaction import Atomic, TransactionManagementError
from psycopg.pq import TransactionStatus

from ..bridge import current_context, current_job, run_sync
from ..callers import current_caller
from ..connection.wrapper import interrupted
from ..generators import may_wait
from ..tasks import begin_now
from . import lending
from .blocks import alias_of, child_error, exit_block
from .errands import completed
from .holds import Hold, Transaction, current_hold, own_hold, set_hold, too_late
from .lines import Turn
from .scope import begin_turn, scope_of
from .turns import for_task, wait_for_turn

logger = logging.getLogger("turbo_orm")

Error: TypeAlias = "tuple[type[BaseException] | None, BaseException | None, TracebackType | None]"

# Where a block object keeps what was entered through it.
ENTERED = "_turbo_entered"
# A statement of somebody who has gone is still under way, or the connection is lost.
BUSY = (TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN)

# The event loop alone would let them be collected.
_ending: set[asyncio.Task[None]] = set()


class Entered:
    """One asynchronous block that has been entered.

    Args:
        block: what the user has; dropped, nobody can leave it any more.
        atomic: what was entered for it, and is in the wrapper's list.
        transaction: the transaction that it is in.
        generators: the asynchronous generators of which the end is its end.
    """

    def __init__(
        self,
        block: Atomic,
        atomic: Atomic,
        transaction: Transaction,
        generators: Sequence[AsyncGenerator[Any, Any]],
    ) -> None:
        self.block = weakref.ref(block)
        self.atomic = atomic
        self.transaction = transaction
        self.level = transaction.depth
        # Whether it has been left, properly or because its generator was closed or dropped.
        self.left = False
        # Whether a job in it was interrupted while another had the turn.
        self.interrupted = False
        context = current_context()
        self.context = None if context is None else weakref.ref(context)
        self.generators = [_watched(transaction, generator) for generator in generators]
        self._watches: list[weakref.ref[Any]] = []

    def waits_for_next_task(self, lost: Callable[[], None]) -> bool:
        """Tell whether code after its task can leave the block: it has the block and the context.

        Args:
            lost: is called, on the loop, when that is no longer so.
        """
        block = self.block()
        context = None if self.context is None else self.context()
        if block is None or context is None:
            return False
        loop = self.transaction.loop
        assert loop is not None
        self._watches = [
            weakref.ref(each, lambda _: _call(loop, lost)) for each in (block, context)
        ]
        return True

    def forget(self) -> None:
        """Let the context in which the block was entered be in no transaction."""
        self._watches.clear()
        context = None if self.context is None else self.context()
        if context is current_context():
            self._clear()
        elif context is not None:
            with suppress(RuntimeError):  # it is entered, further out
                context.run(self._clear)

    def _clear(self) -> None:
        if own_hold(self.transaction) is not None:
            set_hold(self.transaction.alias, None)


def _watched(transaction: Transaction, generator: Any) -> weakref.ref[Any]:
    """Return the reference that tells a transaction when a generator is dropped."""
    for entered in transaction.entered:
        for known in entered.generators:
            if known() is generator:
                return known
    of_transaction = weakref.ref(transaction)

    def dropped(reference: weakref.ref[Any]) -> None:
        found = of_transaction()
        if found is not None and found.loop is not None:
            _call(found.loop, lambda: _end_dropped(found, reference))

    # Called at once: before the event loop hears of it, and before the next line of code runs.
    return weakref.ref(generator, dropped)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Call a function on a loop: here, or soon if garbage is collected elsewhere."""
    if _running_loop() is loop or loop.is_closed():
        function()
    else:
        with suppress(RuntimeError):  # it is closed by now
            loop.call_soon_threadsafe(function)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


# Entering and leaving, in the bridge.


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
    if hold is not None and not (hold.transaction.owned_by_this_task or hold.transaction.adopt()):
        raise child_error(alias)
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
    entered = Entered(block, atomic, inside.transaction, generators)
    inside.transaction.entered.append(entered)
    vars(block).setdefault(ENTERED, []).append(entered)


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
        rest = None if entered.left else _end(entered.transaction, [entered])
        if rest is not None and waits:
            await asyncio.shield(rest)
        return
    try:
        await _leave_anywhere(entered, error)
    except GeneratorExit:
        # Nobody knows what became of its last statement.
        entered.transaction.expire(_given_up(entered.transaction.alias))
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
        _exit(entered, (type(problem), problem, None))
        raise problem
    _exit(entered, error)


def _leave_ended(entered: Entered, error: Any) -> None:
    """Leave a block that has been rolled back already."""
    transaction = entered.transaction
    _remove(entered)
    if error[0] is None:
        raise too_late(transaction) if transaction.reason else _given_up(transaction.alias)


def _problem(entered: Entered, inner: list[Any]) -> TransactionManagementError | None:
    """Return why a block cannot be committed, if Django alone would not say so."""
    wrapper: Any = entered.transaction.wrapper
    alias = wrapper.alias
    if inner:
        return _still_open(alias)
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
            _exit(entered, error)


def _exit(entered: Entered, error: Any) -> None:
    """Let Django end the innermost block, in this job's turn."""
    transaction = entered.transaction
    alias = transaction.alias
    if transaction.wrapper.in_outermost_block:
        lending.unpin(transaction)
    try:
        exit_block(entered.atomic, error)
    finally:
        _remove(entered)
        lending.share_block(alias, -1)


def _remove(entered: Entered) -> None:
    entered.left = True
    transaction = entered.transaction
    if entered in transaction.entered:
        transaction.entered.remove(entered)
    # With autocommit off the transaction goes on after its outermost block.
    if not transaction.entered and (transaction.ended or transaction.closing):
        entered.forget()


# Ending without being awaited.


def _end_dropped(transaction: Transaction, reference: Any) -> None:
    """End the blocks of a generator that was dropped: Python's own ends with its last reference."""
    leaving = [each for each in transaction.entered if reference in each.generators]
    if not leaving:
        return
    job = current_job()
    elsewhere = job is None or job.abandoned or own_hold(transaction) is None
    if elsewhere or _is_in_statement(transaction):
        _end(transaction, leaving)
        return
    try:
        for entered in reversed(leaving):
            _leave(entered, (GeneratorExit, GeneratorExit(), None))
    except BaseException:
        logger.exception("A dropped generator's block of %r failed to end", transaction.alias)
        transaction.expire(_given_up(transaction.alias))


def _end(transaction: Transaction, leaving: list[Entered]) -> asyncio.Task[None] | None:
    """Roll back the innermost blocks of a transaction in a task that has the turn at once.

    Args:
        transaction: the transaction.
        leaving: its innermost blocks.

    Returns:
        The task; None if there is nothing to wait for.
    """
    if transaction.ended:
        for entered in leaving:
            _remove(entered)
        return None
    innermost = transaction.wrapper.atomic_blocks[leaving[0].level - 1 :]
    for entered in leaving:
        entered.left = True
        transaction.entered.remove(entered)
    if innermost != [entered.atomic for entered in leaving]:
        transaction.expire(_still_open(transaction.alias))
        return None
    loop = _running_loop()
    if loop is None or loop is not transaction.loop or _is_lost(transaction):
        transaction.expire(_given_up(transaction.alias))
        return None
    transaction.closing = not transaction.entered
    job = current_job()
    if job is not None and job.abandoned:
        scope_of(job).pause()
    # Not inside a statement of this very job, in which garbage was collected.
    own = None if _is_in_statement(transaction) else own_hold(transaction)
    hold = own or Hold(transaction, None)
    taken: list[Turn] = []
    # Its place in the line is before that of whatever comes next.
    rest = begin_now(_take(hold, taken))
    task = loop.create_task(_roll_back(transaction, leaving, taken, rest))
    _ending.add(task)
    task.add_done_callback(_ending.discard)
    return task


def _is_lost(transaction: Transaction) -> bool:
    """Tell whether the connection cannot execute anything, though nobody has the turn."""
    connection: Any = transaction.wrapper.connection
    if connection is None or connection.closed:
        return True
    return transaction.line.holder is None and connection.pgconn.transaction_status in BUSY


def _is_in_statement(transaction: Transaction) -> bool:
    """Tell whether somebody who has the turn is in the middle of a statement."""
    connection: Any = transaction.wrapper.connection
    if connection is None or connection.closed or transaction.line.holder is None:
        return False
    return connection.lock.locked() or connection.pgconn.transaction_status in BUSY


async def _take(hold: Hold, taken: list[Turn]) -> None:
    taken.append(await wait_for_turn(hold, for_task(None)))


async def _roll_back(
    transaction: Transaction,
    leaving: list[Entered],
    taken: list[Turn],
    rest: Awaitable[None] | None,
) -> None:
    try:
        if rest is not None:
            await rest
        await run_sync(_roll_back_in_turn, transaction, leaving, taken[0])
    except BaseException as error:
        transaction.expire(_given_up(transaction.alias))
        if not isinstance(error, Exception):
            raise
        logger.exception("A closed block of %r failed to end", transaction.alias)
    finally:
        for turn in taken:
            turn.release()
        for entered in leaving if transaction.closing or transaction.ended else ():
            entered.forget()


def _roll_back_in_turn(transaction: Transaction, leaving: list[Entered], turn: Turn) -> None:
    if transaction.ended:
        return
    job = current_job()
    assert job is not None
    if _is_lost(transaction) or transaction.wrapper.connection.pgconn.transaction_status in BUSY:
        transaction.expire(_given_up(transaction.alias))
        return
    begin_turn(scope_of(job), turn)
    for entered in reversed(leaving):
        _exit(entered, (GeneratorExit, GeneratorExit(), None))


def _still_open(alias: str) -> TransactionManagementError:
    return TransactionManagementError(
        f"An atomic block of database {alias!r} was left while a block inside it was still open: "
        "that of an asynchronous generator that is not closed yet. Everything was rolled back. "
        "Close the generator first: `async with contextlib.aclosing(generator):`."
    )


def _given_up(alias: str) -> TransactionManagementError:
    return TransactionManagementError(
        f"The atomic block of database {alias!r} was rolled back before it was left: its task had "
        "ended, its connection was lost, or a block inside it was closed in the middle of a "
        "statement. Enter and leave a block in the same task, or in tasks with the same context: "
        "`loop.create_task(coroutine, context=context)`."
    )
