"""What was aimed at, what came of it, and where others are ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .cases import CASES
from .context import Results
from .peers import PEERS
from .report import share_in_queue, times_as_fast
from .served.report import header, row

OURS, BASELINE = "turbo", "django"
# What is no driver alone, and does more than one operation in a time.
RAW = ("psycopg", "asyncpg")
# The server's own processes need some of the cores; more than this is somebody else's work.
BUSY = 0.3
AT = "20"


class Goal(NamedTuple):
    """So many times as fast as another system."""

    case: str
    other: str
    factor: float


GOALS = (
    Goal("get", "django", 2.5),
    Goal("get", "published", 1.5),
    Goal("get", "tortoise", 1.0),
    Goal("newest", "django", 3.5),
    Goal("four_conditions", "django", 4.0),
)


def goals(found: Results) -> Iterator[str]:
    """Yield the goals, by the clock and by processor time."""
    reached = [goal for goal in GOALS if AT in found.get("operations", {}).get(goal.case, {})]
    if not reached:
        return
    yield from ("", f"### Goals at {AT} tasks: times as fast as others", "")
    yield from header("operation", ["goal", "by the clock", "by CPU", ""])
    busy = is_busy(found)
    for goal in reached:
        samples = found["operations"][goal.case][AT]
        clock, cpu = (times_as_fast(samples, OURS, goal.other, what) for what in ("wall", "cpu"))
        aim = f"{goal.factor} x {PEERS[goal.other].title}"
        if clock is None or cpu is None:
            yield row(CASES[goal.case].title, [aim, "-", "-", ""])
            continue
        judged = "reached" if (cpu if busy else clock) >= goal.factor else "missed"
        yield row(CASES[goal.case].title, [aim, f"{clock:.2f}", f"{cpu:.2f}", judged])


def is_busy(found: Results) -> bool:
    """Tell whether the machine did much else meanwhile."""
    return share_in_queue(found.get("operations", {}), BASELINE) > BUSY


def verdict(found: Results) -> Iterator[str]:
    """Yield where others are ahead of Turbo ORM, raw drivers aside."""
    if "operations" not in found or OURS not in found["options"]["systems"]:
        return
    yield ""
    for tasks in found["options"]["tasks"]:
        what = "cpu" if is_busy(found) else "wall"
        ahead = list(who_is_ahead(found, str(tasks), what))
        many = f"{tasks} task{'s' * (tasks != 1)}"
        yield f"- At {many}, ahead of Turbo ORM: {'; '.join(ahead) or 'nobody but raw drivers'}."
    if is_busy(found):
        yield ""
        share = share_in_queue(found["operations"], BASELINE)
        yield (
            f"The machine was busy: one-threaded systems waited {share:.0%} of the time for a "
            "core. The clock then favours systems with many threads, so this and the goals are "
            "judged by CPU time."
        )


def who_is_ahead(found: Results, tasks: str, what: str) -> Iterator[str]:
    """Yield each system that is faster than ours at an operation, and how much."""
    for case, levels in found["operations"].items():
        for system in found["options"]["systems"]:
            if system in (OURS, "turbo-without-plans", *RAW):
                continue
            ours = times_as_fast(levels[tasks], system, OURS, what)
            if ours is not None and ours > 1:
                yield f"{PEERS[system].title} at {CASES[case].title} ({ours:.2f})"
