"""The one decision: whose connection the running code uses. Nothing here waits or looks around.

Whoever holds a connection or has a block open, the code that it calls and waits for is inside it,
also where asgiref takes that code to another thread or loop. Nobody else is.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Place(enum.Enum):
    """Where the code runs."""

    THREAD = "in a thread that no event loop waits for"
    HOSTED = "in a thread that an event loop waits for in sync_to_async"
    LOOP = "on an event loop, outside the bridge"
    JOB = "on an event loop, in the bridge"


class Standing(enum.Enum):
    """How the running context stands to the block that it inherited."""

    NONE = "in no block"
    INSIDE = "in a block that is open"
    LATE = "in a block that has ended, but whose task goes on"


class Lease(enum.Enum):
    """Whose connection the code uses."""

    OWN = "that of its thread, which Django keeps"
    GUEST = "that of the block, on whose loop each statement is executed"
    CALLER = "that of the caller, in whose thread each statement is executed"
    BLOCK = "that of the block, in turn"
    POOL = "one from the pool, for this operation"
    NONE = "none: the code is outside the bridge and must await something"
    REFUSED = "none: the block has ended"


class Held(NamedTuple):
    """The block that a context inherited.

    Args:
        loop: the event loop that the block's connection belongs to; None for a test's.
        ended: whether the block has ended.
        own: whether the running task is the one that opened the block.
        lends: whether threads may be guests at the connection.
    """

    loop: object
    ended: bool = False
    own: bool = False
    lends: bool = True


def standing(held: Held | None, loop: object) -> Standing:
    """Return how a context stands to the block that it inherited.

    Args:
        held: the block, if there is one.
        loop: the event loop that runs here or waits for this thread.
    """
    if held is None or (held.loop is not None and held.loop is not loop):
        return Standing.NONE
    if not held.ended:
        return Standing.INSIDE
    return Standing.NONE if held.own else Standing.LATE


def decide(place: Place, standing: Standing, *, called: bool = False, lends: bool = True) -> Lease:
    """Return whose connection the running code uses.

    Args:
        place: where the code runs.
        standing: how its context stands to the block that it inherited.
        called: whether a caller waits in ``async_to_sync`` for this code, on this loop.
        lends: whether threads may be guests at the block's connection.
    """
    if place is Place.THREAD or (place is Place.HOSTED and not lends):
        return Lease.OWN
    if called and place is not Place.HOSTED:
        # Before the block: a thread in which a savepoint is open has the block's turn already.
        return Lease.CALLER
    if standing is Standing.LATE:
        return Lease.REFUSED
    return (_INSIDE if standing is Standing.INSIDE else _OUTSIDE)[place]


_INSIDE = {Place.HOSTED: Lease.GUEST, Place.LOOP: Lease.BLOCK, Place.JOB: Lease.BLOCK}
_OUTSIDE = {Place.HOSTED: Lease.OWN, Place.LOOP: Lease.NONE, Place.JOB: Lease.POOL}


def keeps_turn(*, before: int, now: int) -> bool:
    """Tell whether a job keeps its turn while it waits for something else than a statement.

    Args:
        before: how many blocks were open when the turn began.
        now: how many are open.
    """
    return now > before


def enters(place: Place, *, awaited: bool = False, thread_awaited: bool = False) -> bool:
    """Tell whether code takes its turn inside that of another, which could not go on otherwise.

    Args:
        place: where the code runs.
        awaited: whether the other awaits the code.
        thread_awaited: whether the other awaits a call of a thread, which may be this one.
    """
    return thread_awaited if place is Place.HOSTED else awaited
