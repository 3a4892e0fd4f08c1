"""The tables, in Markdown: requests per second, their ratio and goal, and what a request costs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.report import median_and_spread

from .cases import CASES
from .project import SYSTEMS
from .wrk import Load

BASELINE, OURS = "django", "turbo"
# Of one case: the loads of all rounds, by system.
Rounds = Mapping[str, Sequence[Load]]


def tables(results: Mapping[str, Rounds], systems: Sequence[str]) -> Iterator[str]:
    """Yield the lines of both tables."""
    yield "Requests per second: median over rounds ± median distance from it"
    yield ""
    yield from header(
        "case", [*(SYSTEMS[system] for system in systems), "times as fast", "by CPU", "goal"]
    )
    for case, rounds in results.items():
        figures = [plus_minus(rounds[system], "per_second") for system in systems]
        yield row(CASES[case].title, [*figures, *compared(case, rounds)])
    yield ""
    yield "What a request costs the server's process, and how long it takes: medians over rounds"
    yield ""
    names = [
        f"{SYSTEMS[system]}: {what}" for system in systems for what in ("CPU µs", "50 %, 99 %")
    ]
    yield from header("case", names)
    for case, rounds in results.items():
        yield row(CASES[case].title, [cell for system in systems for cell in cost(rounds[system])])


def header(first: str, others: Sequence[str]) -> Iterator[str]:
    """Yield a table's first two lines: text on the left, figures on the right."""
    yield row(first, others)
    yield row("---", ["--:"] * len(others))


def row(first: str, others: Sequence[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join([first, *others])} |"


def plus_minus(loads: Sequence[Load], what: str) -> str:
    """Return the median over rounds and the median distance from it."""
    median, spread = median_and_spread([getattr(load, what) for load in loads])
    return f"{median:,.0f} ± {spread:,.0f}"


def compared(case: str, rounds: Rounds) -> list[str]:
    """Return how many times as fast ours is, and whether that is what was aimed at."""
    goal = CASES[case].goal
    aim = "" if goal is None else f"≥ {goal:g}"
    if not (rounds.get(BASELINE) and rounds.get(OURS)):
        return ["-", "-", aim]
    ratio = times_as_fast(rounds)
    verdict = "" if goal is None else (", reached" if ratio >= goal else ", missed")
    return [f"{ratio:.1f}", f"{times_as_cheap(rounds):.1f}", aim + verdict]


def times_as_fast(rounds: Rounds) -> float:
    """Return the median over rounds of the ratio; each round is compared with itself."""
    pairs = zip(rounds[OURS], rounds[BASELINE], strict=True)
    return statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs)


def times_as_cheap(rounds: Rounds) -> float:
    """Return the same of the processor time that a request costs the server's process."""
    pairs = zip(rounds[OURS], rounds[BASELINE], strict=True)
    return statistics.median(theirs.cpu_us / ours.cpu_us for ours, theirs in pairs)


def cost(loads: Sequence[Load]) -> list[str]:
    """Return the cells of one system: its processor time, and how long answers took."""
    median, p99 = (
        statistics.median(getattr(load, what) for load in loads) for what in ("median_ms", "p99_ms")
    )
    cpu = statistics.median(load.cpu_us for load in loads)
    return [f"{cpu:,.0f}", f"{median:.1f} ms, {p99:.1f} ms"]
