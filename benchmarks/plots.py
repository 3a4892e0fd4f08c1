"""The pictures: the same results give the same files, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .cases import CASES
from .context import Results
from .peers import PEERS
from .report import median_of, per_second

# What a picture of bars has room for.
SHOWN = ("get", "newest", "joined", "labelled", "values_list", "create", "update", "transaction")
BARS_AT = "20"
# Ours first and strong, Django's beside it; those on one driver have one line style.
COLOURS = {
    "turbo": "#0b6e4f",
    "turbo-without-plans": "#6fae98",
    "django": "#c1442e",
    "async-backend": "#e08e45",
    "published": "#8c6bb1",
    "sqlalchemy": "#2f6db5",
    "sqlalchemy-psycopg": "#86b3df",
    "tortoise": "#b8860b",
    "piccolo": "#d36ba6",
    "psycopg": "#8a8a8a",
    "asyncpg": "#3d3d3d",
}
STYLE = {
    "svg.hashsalt": "turbo-orm",
    # Text stays text: files are small, and a reader can search in them.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
}


def draw(found: Results, folder: Path) -> list[Path]:
    """Draw what a run has figures for, and return the files."""
    import matplotlib as mpl

    mpl.use("svg")
    drawn = []
    with mpl.rc_context(STYLE):
        for name, make in PICTURES.items():
            picture = make(found)
            if picture is not None:
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"{name}.svg"
                # A date would make each run's files differ.
                picture.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
                drawn.append(path)
    return drawn


def order(found: Results, present: Iterable[str]) -> list[str]:
    """Return the systems that have figures, in the order of the table of peers."""
    having = set(present)
    return [system for system in PEERS if system in having]


def operations(found: Results) -> Any:
    """Draw operations per second by system, a panel for each operation."""
    results = found.get("operations", {})
    cases = [case for case in SHOWN if BARS_AT in results.get(case, {})]
    if not cases:
        return None
    from matplotlib.figure import Figure

    columns = min(4, len(cases))
    rows = -(-len(cases) // columns)
    systems = order(found, {system for case in cases for system in results[case][BARS_AT]})
    figure = Figure(figsize=(3.1 * columns, 0.26 * len(systems) * rows + 1.1 * rows))
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    for panel, case in zip(panels, cases, strict=False):
        bars(panel, results[case][BARS_AT], systems)
        panel.set_title(CASES[case].title, fontsize=9)
    for panel in list(panels)[len(cases) :]:
        panel.set_visible(False)
    figure.suptitle(f"Operations per second at {BARS_AT} tasks: longer is better")
    figure.set_layout_engine("constrained")
    return figure


def bars(panel: Any, samples: Results, systems: list[str]) -> None:
    """Draw one operation's bars, the first system on top."""
    for position, system in enumerate(reversed(systems)):
        if not samples.get(system):
            panel.text(0, position, " -", va="center")
            continue
        rate, spread = per_second(samples[system])
        panel.barh(position, rate, xerr=spread, color=COLOURS[system], ecolor="#00000080")
    panel.set_yticks(range(len(systems)), [PEERS[system].title for system in reversed(systems)])
    panel.grid(visible=False, axis="y")
    panel.xaxis.set_major_locator(_ticks())
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _ticks() -> Any:
    """Return what finds few round numbers for an axis."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)


def lines(found: Results, what: str, along: str, title: str) -> Any:
    """Draw milliseconds against a number, both on logarithmic scales, a line for each system."""
    results = found.get("growth", {}).get(what, {})
    if not results:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6))
    panel = figure.subplots()
    numbers = [int(number) for number in results]
    for system in order(found, {each for samples in results.values() for each in samples}):
        values = [median_of(samples[system], "p50") / 1000 for samples in results.values()]
        panel.plot(
            numbers,
            values,
            label=PEERS[system].title,
            color=COLOURS[system],
            linestyle="--" if system in ("psycopg", "asyncpg") else "-",
            linewidth=2.4 if system == "turbo" else 1.3,
            marker="o",
            markersize=3,
        )
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(numbers, [f"{number:,}" for number in numbers], minor=False)
    panel.minorticks_off()
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.set_xlabel(along)
    panel.set_ylabel("milliseconds")
    panel.set_title(title)
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


PICTURES: dict[str, Callable[[Results], Any]] = {
    "operations": operations,
    "concurrency": lambda found: lines(
        found,
        "tasks",
        "concurrent tasks, 20 connections",
        "One row by primary key, latency of half of the queries: lower is better",
    ),
    "rows": lambda found: lines(
        found, "rows", "rows", "A list, one task, time of half of the queries: lower is better"
    ),
}
