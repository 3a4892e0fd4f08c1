"""The tables: medians over rounds, their spread, the ratio to Django's own, and the goals."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .cases import CASES
from .micro import SHAPES
from .peers import PEERS

BASELINE = "django"
# Rounds of one case, by system: what an operation took in each.
Samples = Mapping[str, Sequence[Mapping[str, float]]]


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
# Microseconds to build and bind a query with one condition, and for each further one.
# The server's own processes need some of the cores; more than this is somebody else's work.
BUSY = 0.3
FIRST_CONDITION, FURTHER_CONDITION = 20, 8


def median_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the median, and the median distance from it."""
    median = statistics.median(values)
    return median, statistics.median(abs(value - median) for value in values)


def times_as_fast(samples: Samples, system: str, other: str, what: str = "wall") -> float | None:
    """Return the median over rounds of how many times as fast a system is as another.

    Each round is compared with itself: what slows the machine down for a while slows both.
    """
    if not (samples.get(system) and samples.get(other)):
        return None
    rounds = zip(samples[system], samples[other], strict=True)
    return statistics.median(theirs[what] / ours[what] for ours, theirs in rounds)


def operations(results: Mapping[str, Samples], systems: Sequence[str]) -> Iterator[str]:
    """Yield a table for each case: a dash where a system or an operation is missing."""
    for case, samples in results.items():
        yield f"\n{CASES[case].title}"
        yield f"{'':26}{'us/operation':>18}{'x Django':>11}{'CPU us':>10}{'x Django':>11}"
        for system in systems:
            yield f"  {PEERS[system].title:24}{figures(samples, system)}"


def figures(samples: Samples, system: str) -> str:
    """Return the columns of one system."""
    if not samples.get(system):
        return f"{'-':>11}{'-':>18}{'-':>10}{'-':>11}"
    columns = ""
    for what, form in (("wall", "{:8.0f} ± {:<5.0f}"), ("cpu", "{:8.0f}")):
        values = [sample[what] for sample in samples[system]]
        ratio = times_as_fast(samples, system, BASELINE, what)
        columns += form.format(*median_and_spread(values)).rjust(18 if what == "wall" else 10)
        columns += (f"{ratio:.2f}" if ratio else "-").rjust(11)
    return columns


def building(results: Mapping[str, Samples]) -> Iterator[str]:
    """Yield the table of what building a query costs, beside what it may cost."""
    yield "\nBuilding a query and making it SQL: us of CPU, no database"
    yield f"{'':32}{'by its plan':>16}{'goal':>8}{'(recording)':>13}{'Django':>14}"
    for shape, samples in results.items():
        conditions = int(shape[0])
        goal = FIRST_CONDITION + FURTHER_CONDITION * (conditions - 1)
        ours, theirs = (
            summary(samples.get(system, []), "compiled") for system in ("turbo", BASELINE)
        )
        recording = summary(samples.get("turbo", []), "build")
        # Order and slice are no conditions: no goal was set for them.
        aim = f"<= {goal}" if shape != list(SHAPES)[-1] else ""
        yield f"  {shape:30}{ours:>16}{aim:>8}{recording:>13}{theirs:>14}"


def summary(samples: Sequence[Mapping[str, float]], what: str) -> str:
    """Return median and spread in short, or a dash."""
    if not samples:
        return "-"
    median, spread = median_and_spread([sample[what] for sample in samples])
    return f"{median:.1f} ± {spread:.1f}"


def goals(results: Mapping[str, Samples]) -> Iterator[str]:
    """Yield what was aimed at, and what came of it: by the clock, unless the machine was busy."""
    busy = share_in_queue(results) > BUSY
    judged = "cpu" if busy else "wall"
    yield f"\nGoals: times as fast as others {'':48}by clock   by CPU"
    for goal in GOALS:
        if goal.case not in results:
            continue
        aim = f"{goal.factor} x {PEERS[goal.other].title}"
        line = f"  {CASES[goal.case].title:44}{aim:33}"
        reached = {
            what: times_as_fast(results[goal.case], "turbo", goal.other, what)
            for what in ("wall", "cpu")
        }
        ratio = reached[judged]
        if ratio is None:
            yield f"{line}{'-':>10}{'-':>9}"
            continue
        verdict = "reached" if ratio >= goal.factor else "missed"
        yield f"{line}{reached['wall']:10.2f}{reached['cpu']:9.2f}  {verdict}"
    if busy:
        yield (
            f"  The machine was busy: one-threaded systems waited {share_in_queue(results):.0%} of "
            "the time for a core.\n  The clock then favours systems with many threads, so goals "
            "are judged by CPU time."
        )


def share_in_queue(results: Mapping[str, Samples]) -> float:
    """Return which share of the time one-threaded systems could have run, but had no core."""
    shares = [
        sample["queued"] / sample["wall"]
        for samples in results.values()
        for system, taken in samples.items()
        if system != BASELINE
        for sample in taken
    ]
    return statistics.median(shares) if shares else 0.0
