"""What changed between two runs, beside what rounds of the same run differ by."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .cases import CASES
from .context import Results
from .peers import PEERS
from .report import median_and_spread
from .served.cases import CASES as PAGES
from .served.report import header, row
from .served.systems import SYSTEMS

# Two medians differ by about this many median distances without any reason.
NOISE = 3
# What a machine does not repeat anyway, however close together its rounds were.
LEAST = 0.02


class Place(NamedTuple):
    """Which figure: what, under which conditions, of whom."""

    what: str
    at: str
    system: str


class Figure(NamedTuple):
    """A rate: the median over rounds, and the median distance from it."""

    median: float
    spread: float


def lines(before: Results, after: Results, *, everything: bool = False) -> Iterator[str]:
    """Yield what changed by more than the noise, the largest change first.

    Args:
        before: what one file holds.
        after: what the other holds.
        everything: whether what has not changed is shown too.
    """
    yield from differences_of_runs(before, after)
    old, new = figures(before), figures(after)
    shared = [place for place in old if place in new]
    changed = [place for place in shared if is_change(old[place], new[place])]
    shown = sorted(
        shared if everything else changed,
        key=lambda place: -abs(change(old[place], new[place])),
    )
    yield ""
    yield (
        f"{len(changed)} of {len(shared)} figures changed by more than the noise; "
        f"the median change of all is {median_change(old, new, shared):+.1%}."
    )
    if len(shared) < max(len(old), len(new)):
        yield f"Only one run has {len(set(old) ^ set(new))} others."
    if not shown:
        return
    yield ""
    yield from header("figure", ["at", "system", "before", "after", "change", "noise"])
    for place in shown:
        yield row(place.what, cells(place, old[place], new[place]))


def differences_of_runs(before: Results, after: Results) -> Iterator[str]:
    """Yield what the two runs were taken on, and what else than the commit differs."""
    for name, found in (("before", before), ("after", after)):
        yield f"{name}: commit {found['commit']}, {found['when']}"
    for name in ("machine", "postgresql", "python"):
        if different(before.get(name)) != different(after.get(name)):
            yield f"Not the same {name}: {before.get(name)} and {after.get(name)}"
    for system, versions in before.get("versions", {}).items():
        others = after.get("versions", {}).get(system, versions)
        for package, version in versions.items():
            if others.get(package, version) != version:
                yield f"{system}: {package} {version} became {others[package]}"


def different(described: object) -> object:
    """Return a description without what differs from run to run anyway."""
    if isinstance(described, dict):
        return {name: value for name, value in described.items() if name != "load_before"}
    return described


def figures(found: Results) -> dict[Place, Figure]:
    """Return all rates of a run."""
    every: dict[Place, Figure] = {}
    for case, levels in found.get("operations", {}).items():
        for tasks, samples in levels.items():
            for system, taken in samples.items():
                place = Place(
                    CASES[case].title, f"{tasks} task{'s' * (tasks != '1')}", PEERS[system].title
                )
                every |= {place: rate([1e6 / sample["wall"] for sample in taken])} if taken else {}
    for case, loads in found.get("pages", {}).items():
        for system, taken in loads.items():
            place = Place(PAGES[case].title, "a page", SYSTEMS[system].title)
            every |= {place: rate([load["per_second"] for load in taken])} if taken else {}
    for what, levels in found.get("growth", {}).items():
        for number, samples in levels.items():
            for system, taken in samples.items():
                place = Place("growth", f"{number} {what}", PEERS[system].title)
                every |= {place: rate([1e6 / sample["wall"] for sample in taken])} if taken else {}
    return every


def rate(values: Sequence[float]) -> Figure:
    """Return a figure of the values of all rounds."""
    return Figure(*median_and_spread(values))


def change(before: Figure, after: Figure) -> float:
    """Return by which share a rate rose; negative if it fell."""
    return after.median / before.median - 1


def noise(before: Figure, after: Figure) -> float:
    """Return by which share two medians of these rounds may differ without a reason."""
    shares = [figure.spread / figure.median for figure in (before, after)]
    return max(NOISE * sum(share**2 for share in shares) ** 0.5, LEAST)


def is_change(before: Figure, after: Figure) -> bool:
    """Tell whether a rate changed by more than the noise."""
    return abs(change(before, after)) > noise(before, after)


def median_change(
    old: dict[Place, Figure], new: dict[Place, Figure], shared: Sequence[Place]
) -> float:
    """Return the median of all changes: what a faster or slower machine alone would make."""
    changes = [change(old[place], new[place]) for place in shared]
    return statistics.median(changes) if changes else 0.0


def cells(place: Place, before: Figure, after: Figure) -> list[str]:
    """Return the columns of one figure."""
    mark = "" if is_change(before, after) else " (noise)"
    return [
        place.at,
        place.system,
        f"{before.median:,.0f} ± {before.spread:,.0f}",
        f"{after.median:,.0f} ± {after.spread:,.0f}",
        f"{change(before, after):+.1%}{mark}",
        f"± {noise(before, after):.1%}",
    ]
