"""The tables of a run, in Markdown: medians over rounds, their spread, and ratios."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .cases import CASES
from .context import Results
from .goals import goals, verdict
from .micro import SHAPES
from .peers import PEERS
from .report import Samples, median_and_spread, median_of, per_second, times_as_fast
from .served.cases import CASES as PAGES
from .served.report import header, row
from .served.systems import SYSTEMS

BASELINE, RAW = "django", "asyncpg"
DASH = "-"
# Microseconds to build and bind a query with one condition, and for each further one.
FIRST_CONDITION, FURTHER_CONDITION = 20, 8


def everything(found: Results) -> Iterator[str]:
    """Yield all that is known of a run; what matters most comes last."""
    yield from details(found)
    yield from building(found)
    yield from growth(found)
    yield from memory(found)
    yield from pages(found)
    yield from summaries(found)
    yield from goals(found)
    yield from verdict(found)
    yield from notes(found)


def notes(found: Results) -> Iterator[str]:
    """Yield what explains the dashes."""
    if found["notes"]:
        yield ""
        yield from (f"- {note}." for note in found["notes"])


def systems_of(found: Results) -> list[str]:
    """Return the systems of a run, in the order of the table of peers."""
    asked = found["options"]["systems"]
    return [system for system in PEERS if system in asked]


def titled(title: str, level: int = 3) -> Iterator[str]:
    """Yield a heading."""
    yield from ("", f"{'#' * level} {title}", "")


def figure(value: float) -> str:
    """Return a figure with three digits that tell something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value: float | None) -> str:
    """Return a ratio in short, or a dash."""
    return DASH if value is None else f"{value:.2f}"


def summaries(found: Results) -> Iterator[str]:
    """Yield for each number of tasks one table: a row for each case, a column for each system."""
    operations = found.get("operations", {})
    for tasks in found["options"]["tasks"] if operations else ():
        yield from summary(found, str(tasks), systems_of(found), list(operations))


def summary(
    found: Results, tasks: str, systems: Sequence[str], cases: Iterable[str]
) -> Iterator[str]:
    """Yield one such table."""
    many = "one task" if tasks == "1" else f"{tasks} tasks"
    yield from titled(f"{many}: operations per second (times as many as Django's a*)")
    yield from header("operation", [PEERS[system].title for system in systems])
    for case in cases:
        samples = found["operations"][case][tasks]
        yield row(CASES[case].title, [cell(samples, system) for system in systems])


def cell(samples: Samples, system: str) -> str:
    """Return operations per second and the ratio to Django's, or a dash."""
    if not samples.get(system):
        return DASH
    rate, _ = per_second(samples[system])
    return f"{figure(rate)} ({ratio(times_as_fast(samples, system, BASELINE))})"


def details(found: Results) -> Iterator[str]:
    """Yield a table for each case and number of tasks: a row for each system."""
    columns = [
        *("per second", "x Django's a*", "x raw asyncpg", "p50", "p99", "CPU µs", "x Django, CPU"),
    ]
    for case, levels in found.get("operations", {}).items():
        for tasks, samples in levels.items():
            yield from titled(f"{CASES[case].title}, {tasks} task{'s' * (tasks != '1')}", 4)
            yield from header("system", columns)
            for system in systems_of(found):
                yield row(PEERS[system].title, figures(samples, system))
            if case == "get" and tasks in found["floor"]:
                yield row("pgbench, prepared", floor(found, tasks))


def figures(samples: Samples, system: str) -> list[str]:
    """Return the columns of one system."""
    if not samples.get(system):
        return [DASH] * 7
    rate, spread = per_second(samples[system])
    latencies = [milliseconds(median_of(samples[system], what)) for what in ("p50", "p99")]
    return [
        f"{figure(rate)} ± {figure(spread)}",
        ratio(times_as_fast(samples, system, BASELINE)),
        ratio(times_as_fast(samples, system, RAW)),
        *latencies,
        figure(median_of(samples[system], "cpu")),
        ratio(times_as_fast(samples, system, BASELINE, "cpu")),
    ]


def floor(found: Results, tasks: str) -> list[str]:
    """Return the columns of pgbench: it tells the average of latencies only."""
    taken = found["floor"][tasks]
    rate, spread = median_and_spread([sample["per_second"] for sample in taken])
    average = milliseconds(median_of(taken, "average"))
    return [
        f"{figure(rate)} ± {figure(spread)}",
        *(DASH, DASH),
        f"{average} (average)",
        *(DASH, DASH, DASH),
    ]


def milliseconds(microseconds: float) -> str:
    """Return a latency."""
    return f"{microseconds / 1000:.2f} ms"


def building(found: Results) -> Iterator[str]:
    """Yield what building a query costs, beside what it may cost."""
    results = found.get("building", {})
    if not any(results.values()):
        return
    yield from titled("Building a query and making it SQL: µs of CPU, no database")
    yield from header("query", ["by its plan", "goal", "(recording)", "Django"])
    for shape, samples in results.items():
        goal = FIRST_CONDITION + FURTHER_CONDITION * (int(shape[0]) - 1)
        # Order and slice are no conditions: no goal was set for them.
        aim = f"≤ {goal}" if shape != list(SHAPES)[-1] else ""
        ours, theirs = samples.get("turbo", []), samples.get(BASELINE, [])
        cells = [spent(ours, "compiled"), aim, spent(ours, "build"), spent(theirs, "compiled")]
        yield row(shape, cells)


def spent(samples: Sequence[Results], what: str) -> str:
    """Return median and spread in short, or a dash."""
    if not samples:
        return DASH
    median, spread = median_and_spread([sample[what] for sample in samples])
    return f"{median:.1f} ± {spread:.1f}"


def pages(found: Results) -> Iterator[str]:
    """Yield what the servers answer, and what an answer costs them."""
    results = found.get("pages", {})
    if not results:
        return
    servers = [system for system in SYSTEMS if system in found["options"]["servers"]]
    titles = [SYSTEMS[system].title for system in servers]
    yield from titled("Pages: requests per second (times as many as Django's own handler)")
    yield from header("page", [*titles, "goal"])
    for case, loads in results.items():
        cells = [page_cell(loads, system) for system in servers]
        yield row(PAGES[case].title, [*cells, page_goal(case, loads)])
    yield from titled("Pages: latency of half and of 99 % of the answers, CPU µs of the server")
    yield from header("page", titles)
    for case, loads in results.items():
        yield row(PAGES[case].title, [page_cost(loads.get(system)) for system in servers])


def page_ratio(loads: Samples, system: str) -> float | None:
    """Return how many times as many pages a server answers as Django's own handler."""
    # It is per second, not per operation: the other way round.
    return times_as_fast(loads, BASELINE, system, "per_second")


def page_cell(loads: Samples, system: str) -> str:
    """Return requests per second and the ratio to Django's own handler, or a dash."""
    if not loads.get(system):
        return DASH
    rate, spread = median_and_spread([load["per_second"] for load in loads[system]])
    return f"{figure(rate)} ± {figure(spread)} ({ratio(page_ratio(loads, system))})"


def page_goal(case: str, loads: Samples) -> str:
    """Return what was aimed at, and whether it was reached."""
    goal, reached = PAGES[case].goal, page_ratio(loads, "turbo")
    if goal is None:
        return ""
    if reached is None:
        return f"≥ {goal:g}"
    return f"≥ {goal:g}, {'reached' if reached >= goal else 'missed'}"


def page_cost(loads: Sequence[Results] | None) -> str:
    """Return how long answers took, and what they cost the server's processes."""
    if not loads:
        return DASH
    middle, late = (median_of(loads, what) for what in ("median_ms", "p99_ms"))
    return f"{middle:.1f} ms, {late:.1f} ms; {figure(median_of(loads, 'cpu_us'))} µs"


def memory(found: Results) -> Iterator[str]:
    """Yield what operations in flight cost."""
    results = found.get("memory", {})
    if not results:
        return
    yield from titled(f"Memory: {found['in_flight']} operations wait for the database at once")
    yield from header("system", ["KiB per operation", "backends", "MiB before"])
    for system in systems_of(found):
        if sample := results.get(system):
            cells = [f"{sample['kib']:.1f}", f"{sample['backends']}", f"{sample['before_mib']:.0f}"]
        else:
            cells = [DASH] * 3
        yield row(PEERS[system].title, cells)


def growth(found: Results) -> Iterator[str]:
    """Yield how time grows with rows and with tasks."""
    for what, title, cost in (
        ("rows", "Growth: milliseconds for a list of so many rows, one task", "p50"),
        ("tasks", "Growth: milliseconds that half of the queries for one row take at most", "p50"),
    ):
        results = found.get("growth", {}).get(what, {})
        if results:
            yield from titled(title)
            yield from header("system", [f"{int(number):,}" for number in results])
            for system in systems_of(found):
                cells = [grown(samples.get(system), cost) for samples in results.values()]
                yield row(PEERS[system].title, cells)


def grown(samples: Sequence[Results] | None, cost: str) -> str:
    """Return the median over rounds in milliseconds, or a dash."""
    return figure(median_of(samples, cost) / 1000) if samples else DASH
