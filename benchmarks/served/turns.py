"""Servers that start together, are checked, and take turns, so that a drift hits all alike."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from .cases import Case
from .server import Server
from .wrk import Load, NoAnswer, load

# As many different answers of a case are compared with what they must say.
CHECKED = 10
# On a machine with other things to do, twenty queries for each of many clients take their time.
PATIENCE = (1, 5, 20)
# A system, and whether it has the default middleware.
Key = tuple[str, bool]
Servers = dict[Key, Server]
# The loads, by case and system.
Results = dict[str, dict[str, list[dict[str, Any]]]]
Tell = Callable[[str], None]


class Turn(NamedTuple):
    """A case that is asked of the server of a system."""

    case: Case
    system: str
    # The system's, in tables.
    title: str
    server: Server


class Pace(NamedTuple):
    """How many rounds there are, how long each turn is, and how many ask at once."""

    rounds: int
    seconds: int
    clients: int
    # Before, which is not counted; none if 0.
    warm_seconds: int
    warm_clients: int


@contextlib.contextmanager
def running(start: Callable[[str, bool], Server], wanted: Collection[Key]) -> Iterator[Servers]:
    """Yield the servers; end them whatever happens."""
    with contextlib.ExitStack() as stack:

        def begin(key: Key) -> Server:
            started = start(*key)
            stack.callback(started.stop)
            return started

        # All start at once: most of it is importing.
        with ThreadPoolExecutor() as starters:
            servers = dict(zip(wanted, starters.map(begin, wanted), strict=True))
        yield servers


def check(turn: Turn, chance: random.Random, fits: Callable[[Case, int, str], bool]) -> None:
    """Compare answers with what they must say; a wrong one ends the run.

    Args:
        turn: whose answers.
        chance: draws the numbers that are asked for.
        fits: tells whether a case's answer for a number is right.
    """
    for number in {turn.case.any_number(chance) for _ in range(CHECKED)}:
        path, body = turn.case.request(number)
        status, answer = turn.server.get(path, body)
        if status // 100 != 2 or not fits(turn.case, number, answer):
            asked = path if body is None else f"{path} ({body})"
            said = f"{status}: {answer[:300]}"
            raise turn.server.failure(f"{turn.title} answers {asked} with {said}")


def measure(turns: Sequence[Turn], pace: Pace, tell: Tell) -> Results:
    """Warm up, then let the systems take turns."""
    results: Results = {turn.case.name: {} for turn in turns}
    if pace.warm_seconds:
        for turn in turns:
            answered(turn, pace.warm_clients, pace.warm_seconds, tell)
    for number in range(pace.rounds):
        began = time.monotonic()
        for turn in turns:
            taken = answered(turn, pace.clients, pace.seconds, tell)
            results[turn.case.name].setdefault(turn.system, []).append(taken._asdict())
        tell(f"round {number + 1} of {pace.rounds}: {time.monotonic() - began:.0f} s")
    return results


def answered(turn: Turn, clients: int, seconds: int, tell: Tell) -> Load:
    """Load a server for so long, or as much longer as it needs to answer at all."""
    for factor in PATIENCE:
        try:
            return load(turn.server, turn.case, clients, seconds * factor)
        except NoAnswer:
            tell(f"{turn.case.title}: no answer in {seconds * factor} s")
    raise turn.server.failure(f"{turn.case.title}: no answer")
