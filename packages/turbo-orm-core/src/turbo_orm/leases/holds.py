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
from .decision import Held, Standing, standing
from .lines import Line, Turn

if TYPE_CHECKING:
    from ..connection.wrapper import BridgedWrapper


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

    @property
    def owned_by_this_task(self) -> bool:
        """Whether the running task is the one that began the transaction."""
        return self.task is _current_task()

    @property
    def depth(self) -> int:
        """How many blocks are open."""
        return len(self.wrapper.atomic_blocks)

    def expire(self, task: object = None) -> None:
        """End the transaction without waiting: its connection is closed, the server rolls back.

        Args:
            task: the task whose end calls this; a block that ends properly has done so before.
        """
        if self.ended:
            return
        self.ended = True
        self.wrapper._transaction = None
        if task is not None:
            logger.error("A task ended inside an atomic block of %r: rolled back", self.alias)
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
        found = standing(
            Held(held.loop, held.ended, held.ended and held.owned_by_this_task), _loop_here()
        )
        if found is not Standing.NONE:
            return found, hold
        if held.ended:
            set_hold(alias, None)
    if alias in _roots:
        return Standing.INSIDE, Hold(_roots[alias], None)
    return Standing.NONE, None


def current_hold(alias: str) -> Hold | None:
    """Return the transaction that this context is in.

    Raises:
        TransactionManagementError: the block has ended, but not this task, which began inside it.
    """
    if not _roots and not _holds.get(None):
        return None
    found, hold = stand(alias)
    if found is Standing.LATE:
        raise too_late(alias)
    return hold


def too_late(alias: str) -> TransactionManagementError:
    """Return the error of code that goes on after the block in which it was started."""
    return TransactionManagementError(
        f"The atomic block of database {alias!r} in which this task was started has ended. Await "
        "the task (or the thread) before the block ends, or start it outside of it: "
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
    """Return the aliases of which this context is in a transaction, or was."""
    held = _holds.get(None) or ()
    return {*held, *_roots} if _roots else held


def set_hold(alias: str, hold: Hold | None) -> None:
    """Put this context into a transaction, or out of it."""
    holds = {key: value for key, value in _holds.get({}).items() if key != alias}
    if hold is not None:
        holds[alias] = hold
    _holds.set(holds)
