"""What became of DRF's tests with our views, beside what becomes of them without."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

LIST = Path(__file__).with_name("expected.txt")
# How many tests may differ, and how many must pass.
DIFFERENT_MAX = 10
PASSED_MIN = 1560


def expected() -> dict[str, str]:
    """Return the tests that are expected to differ, each with its reason."""
    lines = [line for line in LIST.read_text("utf-8").splitlines() if line and line[0] != "#"]
    return dict(line.split(" | ", 1) for line in lines)


@dataclasses.dataclass
class Run:
    """One run of the suite.

    Args:
        outcomes: what became of each test.
        requests: how many requests our coroutine functions answered.
        bridged: how many statements were executed in the bridge.
        synchronous: how many were executed past it, on the event loop.
    """

    outcomes: dict[str, str]
    requests: int = 0
    bridged: int = 0
    synchronous: int = 0


def failures(ours: Run, plain: Run) -> list[str]:
    """Return the tests that fail with our views alone, and that nobody expects to."""
    known = expected()
    return [
        test
        for test, outcome in ours.outcomes.items()
        if outcome == "failed" and test not in known and plain.outcomes.get(test) == "passed"
    ]


def problems(ours: Run, plain: Run, *, whole: bool) -> list[str]:
    """Return all that must not be.

    Args:
        ours: the run with our views.
        plain: the run without.
        whole: whether these were all tests; then there must be enough of them.
    """
    found = [f"fails: {test}" for test in failures(ours, plain)]
    for test, outcome in plain.outcomes.items():
        if outcome == "passed" and ours.outcomes.get(test) not in {"passed", "failed"}:
            found.append(f"passes without our views, and does not run with them: {test}")
    known = expected()
    for test in known:
        if ours.outcomes.get(test) == "passed":
            found.append(f"expected to differ, but did not: {test}")
        elif whole and test not in ours.outcomes:
            found.append(f"expected to differ, but does not exist: {test}")
    if ours.synchronous or not ours.bridged:
        found.append(f"{ours.synchronous} statements past the bridge, {ours.bridged} in it")
    if len(known) > DIFFERENT_MAX:
        found.append(f"{len(known)} tests are expected to differ, {DIFFERENT_MAX} may")
    passed = Counter(ours.outcomes.values())["passed"]
    if whole and passed < PASSED_MIN:
        found.append(f"{passed} tests pass, {PASSED_MIN} must")
    return found


def row(ours: Run, plain: Run) -> str:
    """Return the line of the table, in the form in which Django's suite has its own."""
    count = Counter(ours.outcomes.values())
    failed = failures(ours, plain)
    both = [
        test
        for test, outcome in ours.outcomes.items()
        if outcome == "failed" and plain.outcomes.get(test) == "failed"
    ]
    differing = count["failed"] - len(failed) - len(both)
    figures = [len(ours.outcomes), count["passed"], count["skipped"], len(both), differing]
    return "| drf | **all** | " + " | ".join(map(str, [*figures, len(failed)])) + " |"
