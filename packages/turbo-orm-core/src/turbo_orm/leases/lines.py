"""A line of those who want a connection, and the turn of the one who has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..awaited import pause_between_glances

if TYPE_CHECKING:
    from ..jobs import Job
    from .holds import Transaction

MayEnter: TypeAlias = Callable[["Turn"], bool]


class Line:
    """Those who want a connection: the one whose turn it is, and the others in their order."""

    __slots__ = ("_timer", "_waiting", "holder", "outer")

    def __init__(self) -> None:
        self.holder: Turn | None = None
        self._waiting: list[_Place] = []
        self._timer: asyncio.TimerHandle | None = None
        # The line that goes on when nobody has a turn in this one any more.
        self.outer: Line | None = None

    def begin(self, turn: Turn) -> bool:
        """Begin a turn at once if that is possible; tell whether it is."""
        if self.holder is not None:
            return False
        self.holder = turn
        return True

    def go_on(self) -> None:
        """Let the next have the turn."""
        self.holder = None
        while self._waiting:
            place = self._waiting.pop(0)
            if not place.told.done():
                self.holder = place.turn
                place.told.set_result(None)
                return
        outer, self.outer = self.outer, None
        if outer is not None:
            outer.go_on()

    async def wait(self, turn: Turn, may_enter: MayEnter) -> Turn | None:
        """Wait until it is a turn's time, or until it may be taken inside the holder's.

        Args:
            turn: the holder afterwards, in the first case.
            may_enter: tells whether a turn may be taken inside another.

        Returns:
            The turn to take it in, in the second case.
        """
        place = _Place(turn, may_enter, asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        if self._timer is None:
            self._look_later()
        try:
            return await place.told
        except BaseException:
            if self.holder is turn:
                self.go_on()
            raise
        finally:
            if place in self._waiting:
                self._waiting.remove(place)
            if not self._waiting and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _look_later(self) -> None:
        pause = pause_between_glances(len(self._waiting))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(pause, self._look, self.holder)

    def _look(self, holder: Turn | None) -> None:
        """Let in those whom the holder awaits, if it has not gone on since the last look."""
        if holder is not None and holder is self.holder:
            # For all threads there is one answer, which takes long to find.
            answers: dict[MayEnter, bool] = {}
            for place in self._waiting:
                if place.may_enter not in answers:
                    answers[place.may_enter] = place.may_enter(holder)
                if answers[place.may_enter] and not place.told.done():
                    place.told.set_result(holder)
        self._look_later()


class _Place(NamedTuple):
    """The place of a turn in a line."""

    turn: Turn
    may_enter: MayEnter
    # None when it is the turn's time, else the turn that waits for it.
    told: asyncio.Future[Turn | None]


class Turn:
    """The right to use the transaction's connection, until released.

    Args:
        transaction: the transaction.
        outer: the turn in which this one is taken.
        line: where it is taken.
        depth: how many of the transaction's blocks were open before.
    """

    __slots__ = ("depth", "job", "line", "nested", "outer", "released", "thread", "transaction")

    def __init__(
        self, transaction: Transaction, outer: Turn | None, line: Line, depth: int = 0
    ) -> None:
        self.transaction = transaction
        self.outer = outer
        self.line = line
        self.depth = depth
        self.released = False
        # Whose turn it is. One task after another may drive a job.
        self.job: Job | None = None
        self.thread: int | None = None
        # Where turns are taken inside this one.
        self.nested = Line()

    def release(self) -> None:
        """Let the next have the turn."""
        if not self.released:
            self.released = True
            if self.nested.holder is None:
                self.line.go_on()
            else:
                # A thread goes on after the call that was cancelled.
                self.nested.outer = self.line


def lasting(turn: Turn | None) -> Turn | None:
    """Return the innermost turn around a context that has not ended."""
    while turn is not None and turn.released:
        turn = turn.outer
    return turn
