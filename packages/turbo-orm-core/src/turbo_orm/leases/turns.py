"""Turns on the connection of a transaction: one at a time, and never a circle of waiting.

A turn lasts for one job or, in a thread, for one statement or an open block. Whoever waits for
something else than a statement gives the turn back, unless a savepoint is open that others must
not get into. What was started during a turn is inside it, and takes its turns there. So is what the
turn waits for: it could not go on otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import Context
from functools import partial
from typing import Any

from ..awaited import is_awaited
from ..callers import is_called_from, waiting_calls
from .decision import Place, enters
from .holds import Hold, hold_in
from .lines import MayEnter, Turn, lasting


def turn_at_once(hold: Hold) -> Turn | None:
    """Take a turn if nobody else has it."""
    turn = _wanted(hold, lasting(hold.turn))
    return turn if turn.line.begin(turn) else None


async def wait_for_turn(hold: Hold, may_enter: MayEnter) -> Turn:
    """Take a turn, on the loop of the transaction.

    Args:
        hold: what the context knows of the transaction.
        may_enter: tells whether the turn may be taken inside another.
    """
    outer = lasting(hold.turn)
    while True:
        turn = _wanted(hold, outer)
        if turn.line.begin(turn):
            return turn
        entered = await turn.line.wait(turn, may_enter)
        if entered is None:
            turn.depth = hold.transaction.depth
            return turn
        outer = entered if not entered.released else lasting(outer)


def _wanted(hold: Hold, outer: Turn | None) -> Turn:
    transaction = hold.transaction
    line = transaction.line if outer is None else outer.nested
    return Turn(transaction, outer, line, transaction.depth)


def for_task(task: asyncio.Task[Any] | None) -> MayEnter:
    """Return what tells whether a task may take its turn inside another: if that awaits it."""
    return partial(_may_enter, task)


def _may_enter(task: asyncio.Task[Any] | None, turn: Turn) -> bool:
    return enters(Place.JOB, awaited=_is_awaited_in(turn, task))


def for_thread(turn: Turn) -> bool:
    """Tell whether a thread may take its turn inside another: if that awaits a thread.

    A thread does one call after the other. The next may be the one that is awaited.
    """
    loop = turn.transaction.loop
    awaited = any(
        call.task.get_loop() is loop
        and (is_inside(turn, call.context, call.task) or _is_awaited_in(turn, call.task))
        for call in list(waiting_calls)
    )
    return enters(Place.HOSTED, thread_awaited=awaited)


def _is_awaited_in(turn: Turn, task: asyncio.Task[Any] | None) -> bool:
    return is_awaited(task, partial(is_inside, turn))


def is_inside(turn: Turn, context: Context, task: asyncio.Task[Any] | None) -> bool:
    """Tell whether the code of a context, or of a task, is inside a turn."""
    if task is not None and turn.job is not None and task is turn.job.task:
        return True
    if turn.thread is not None and is_called_from(turn.thread, context):
        return True
    hold = hold_in(context, turn.transaction.alias)
    return hold is not None and turn in _around(hold)


def _around(hold: Hold) -> Iterator[Turn]:
    for innermost in (hold.turn, hold.transaction.waiting):
        turn = innermost
        while turn is not None:
            yield turn
            turn = turn.outer
