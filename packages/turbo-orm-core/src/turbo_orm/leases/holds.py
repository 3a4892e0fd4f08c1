"""An open transaction: which context is in it, and whose turn it is to use its connection.

The tasks begun inside a block are in its transaction, since they inherit its context, and take
turns; siblings are not. Several jobs of one task (GraphQL fields) each have a context of their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.transaction import TransactionManagementError

from ..callers import here, ignore_callers
from . import driven
from .decision import Held, Standing, standing
from .lines import Line, Turn

if TYPE_CHECKING:
    from ..connection.wrapper import BridgedWrapper
    from .entered import Entered


logger = logging.getLogger("turbo_orm")


class Transaction:
    """One transaction, from the outermost ``atomic`` to its end."""

    # Whether it was begun outside the event loop and every context is in it: that of a test.
    is_root = False
    # Whether a thread that its block waits for may use the connection.
    lends = True
    # The loop that its connection belongs to; None if it is a thread's.
    loop: asyncio.AbstractEventLoop | None = None
    # The turn in another transaction that this one keeps until it has ended: in that of a test.
    waiting: Turn | None = None
    # Whether nobody may use it any more, though its rollback is still under way.
    closing = False
    # Whether its task has ended, but not its blocks.
    orphaned = False
    # Why it was given up, if it was.
    reason: TransactionManagementError | None = None

    def __init__(self, wrapper: BridgedWrapper) -> None:
        self.alias = wrapper.alias
        self.wrapper = wrapper
        # A strong reference: the identity of a finished task may be used again.
        self.task = _current_task()
        self.ended = False
        self.line = Line()
        self.loop = asyncio.get_running_loop()
        # What stands for the wrapper in the threads that the block waits for, by thread.
        self.guests: dict[int, Any] = {}
        # Its asynchronous blocks that nobody has left yet, outermost first.
        self.entered: list[Entered] = []

    @property
    def owned_by_this_task(self) -> bool:
        """Whether the running task is the one that began the transaction."""
        return self.task is _current_task()

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return len(self.wrapper.atomic_blocks)

    def adopt(self, *, anyway: bool = False) -> bool:
        """Let the running task own the transaction if the one that owns it has ended.

        Args:
            anyway: let it own the transaction also if the other task has not ended.
        """
        task = _current_task()
        ended = self.orphaned or (self.task is not None and self.task.done())
        if task is None or not (ended or anyway):
            return False
        if self.task is not None:
            self.task.remove_done_callback(self.note_task_end)
        self.task, self.orphaned = task, False
        task.add_done_callback(self.note_task_end)
        return True

    def note_interruption(self) -> None:
        """Mark the block of a job that waited for its turn: the job may be half done."""
        innermost = self.entered[-1] if self.entered else None
        if innermost is None or innermost.level == self.depth:
            self.wrapper.note_interruption()
        else:
            # Whoever has the turn is in a savepoint, which is none of this job's business.
            innermost.interrupted = True

    def note_task_end(self, task: object) -> None:
        """End the transaction, unless what comes after the task can leave its outermost block.

        A fixture enters a block in one task and leaves it in another, in the same context.
        """
        if self.closing or self.ended:
            return
        # It would keep the context alive.
        self.task, self.orphaned = None, True
        if not self.entered or not self.entered[0].waits_for_next_task(self.lose):
            self.lose()

    def lose(self) -> None:
        """End the transaction of which nobody can leave the outermost block any more."""
        if self.ended:
            return
        logger.error(
            "A task ended inside an atomic block of %r, which nothing can leave now. The block "
            "was rolled back. Enter and leave it by `async with atomic():`.",
            self.alias,
        )
        self.expire()
        for entered in self.entered:
            entered.forget()
        self.entered.clear()

    def expire(self, reason: TransactionManagementError | None = None) -> None:
        """End the transaction without waiting: its connection is closed, the server rolls back.

        Args:
            reason: why; what is raised where the transaction is used afterwards.
        """
        if self.ended:
            return
        self.ended = True
        self.reason = reason
        self.wrapper._transaction = None
        self.wrapper.hand_back(broken=True)


class Hold(NamedTuple):
    """What a context knows of the transaction it is in."""

    transaction: Transaction
    turn: Turn | None


# The transactions that contexts are in which began none themselves.
_roots: dict[str, Transaction] = {}
_holds: ContextVar[Mapping[str, Hold]] = ContextVar("turbo_orm.transactions")


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _loop_here() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, else the one that waits for the thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return here.host


def stand(alias: str) -> tuple[Standing, Hold | None]:
    """Return how this context stands to a transaction, and the transaction."""
    holds = _holds.get(None)
    hold = holds.get(alias) if holds else None
    if hold is not None:
        held = hold.transaction
        ended = held.ended or held.closing
        # One that was given up has not ended for its own task until that has left the blocks.
        own = ended and not held.entered and held.owned_by_this_task
        found = standing(Held(held.loop, ended, own), _loop_here())
        if found is not Standing.NONE:
            return found, hold
        if ended:
            set_hold(alias, None)
    if alias in _roots:
        return Standing.INSIDE, Hold(_roots[alias], None)
    entered = driven.block_here(alias, _holds_block) if driven.blocks else None
    return (Standing.NONE, None) if entered is None else _enter_step(entered)


def _holds_block(context: Context, entered: Entered) -> bool:
    hold = hold_in(context, entered.transaction.alias)
    return hold is not None and hold.transaction is entered.transaction


def _enter_step(entered: Entered) -> tuple[Standing, Hold]:
    """Put this context into the block of a generator of which it executes a step."""
    transaction = entered.transaction
    hold = Hold(transaction, None)
    set_hold(transaction.alias, hold)
    if driven.is_step(transaction):
        # Unlike a task that the step has started, it may go on after the block.
        entered.note_context()
    ended = transaction.ended or transaction.closing
    return (Standing.LATE if ended else Standing.INSIDE), hold


def current_hold(alias: str) -> Hold | None:
    """Return the transaction that this context is in.

    Raises:
        TransactionManagementError: the block has ended, but not this task, which began inside it.
    """
    if not _roots and not driven.blocks and not _holds.get(None):
        return None
    found, hold = stand(alias)
    if hold is None:
        return None
    if found is Standing.LATE:
        raise too_late(hold.transaction)
    if driven.blocks and not hold.transaction.is_root:
        _check_step(hold.transaction)
    return hold


def _check_step(transaction: Transaction) -> None:
    """Raise if this is a step of a generator whose block is in another transaction."""
    entered = driven.block_around(transaction.alias)
    if entered is not None and entered.transaction is not transaction:
        raise TransactionManagementError(
            "An asynchronous generator that has an atomic block of database "
            f"{transaction.alias!r} open was asked for its next value inside another block, which "
            "is not around the generator's. Read the generator in one task, inside the other block "
            "or outside it."
        )


def own_hold(transaction: Transaction) -> Hold | None:
    """Return what this context knows of a transaction; None if it is not in that."""
    holds = _holds.get(None)
    hold = holds.get(transaction.alias) if holds else None
    return hold if hold is not None and hold.transaction is transaction else None


def too_late(transaction: Transaction) -> TransactionManagementError:
    """Return the error of code that goes on after the end of the block that it is in."""
    if transaction.reason is not None:
        return TransactionManagementError(*transaction.reason.args)
    return TransactionManagementError(
        f"The atomic block of database {transaction.alias!r} in which this task was started has "
        "ended. Await the task (or the thread) before the block ends, or start it outside of it: "
        "`contextvars.Context().run(asyncio.create_task, coroutine)` starts one in no block."
    )


def hold_in(context: Context, alias: str) -> Hold | None:
    """Return the transaction that another context is in, also if that has ended."""
    holds = context.get(_holds)
    return holds.get(alias) if holds else None


def root_of(alias: str) -> Transaction | None:
    """Return the transaction that every context of the process is in, if there is one."""
    return _roots.get(alias)


def set_root(alias: str, root: Transaction | None) -> None:
    """Put every context of the process into a transaction, or out of it."""
    if root is None:
        _roots.pop(alias, None)
    else:
        _roots[alias] = root
    ignore_callers(bool(_roots))


def held_aliases() -> Collection[str]:
    """Return the aliases of which this context is in a transaction, or was, or may be."""
    held = _holds.get(None) or ()
    return {*held, *_roots, *driven.aliases()} if _roots or driven.blocks else held


def set_hold(alias: str, hold: Hold | None) -> None:
    """Put this context into a transaction, or out of it."""
    holds = {key: value for key, value in _holds.get({}).items() if key != alias}
    if hold is not None:
        holds[alias] = hold
    _holds.set(holds)
