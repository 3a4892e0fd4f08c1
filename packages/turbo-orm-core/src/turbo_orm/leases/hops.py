"""A call of a thread takes its turn on the loop, before it occupies the thread, and keeps it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ..callers import current_caller
from .decision import Standing
from .holds import Hold, current_hold, held_aliases, set_hold, stand
from .lines import Turn
from .turns import for_task, turn_at_once, wait_for_turn


@contextlib.asynccontextmanager
async def turn_of_call() -> AsyncIterator[None]:
    """Keep the turns of the blocks of this context for one call of a thread.

    A thread that waited for its turn itself could be in the way of a call that the holder awaits:
    it had to be let into the holder's savepoint, and its rows were undone with that.
    """
    turns = await _take_turns(_lent_here()) if current_caller() is None else []
    try:
        for turn in turns:
            if not turn.transaction.ended:
                set_hold(turn.transaction.alias, Hold(turn.transaction, turn))
        yield
    finally:
        # All of them first: what follows may raise.
        for turn in turns:
            turn.release()
        for turn in turns:
            alias = turn.transaction.alias
            hold = None if turn.transaction.ended else current_hold(alias)
            if hold is not None and hold.turn is turn:
                set_hold(alias, Hold(turn.transaction, turn.outer))


def _lent_here() -> list[Hold]:
    """Return what this context knows of the blocks that lend their connections to threads."""
    loop = asyncio.get_running_loop()
    found = [stand(alias) for alias in held_aliases()]
    return [
        hold
        for standing, hold in found
        if standing is Standing.INSIDE
        and hold is not None
        and hold.transaction.lends
        and hold.transaction.loop is loop
    ]


async def _take_turns(holds: list[Hold]) -> list[Turn]:
    """Take a turn in each block; none is held while another is waited for: two would hang."""
    turns: dict[int, Turn] = {}
    while True:
        for number, hold in enumerate(holds):
            if number in turns:
                continue
            turn = turn_at_once(hold)
            if turn is None:
                for taken in turns.values():
                    taken.release()
                turns.clear()
                turns[number] = await wait_for_turn(hold, for_task(asyncio.current_task()))
                break
            turns[number] = turn
        else:
            return list(turns.values())
