"""Medians over rounds, their spread, and ratios of systems whose rounds were side by side."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

# Rounds of one case, by system: what an operation took in each.
Sample = Mapping[str, float]
Samples = Mapping[str, Sequence[Sample]]


def median_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Return the median, and the median distance from it."""
    median = statistics.median(values)
    return median, statistics.median(abs(value - median) for value in values)


def median_of(samples: Sequence[Sample], what: str) -> float:
    """Return the median over rounds of one figure."""
    return statistics.median(sample[what] for sample in samples)


def per_second(samples: Sequence[Sample]) -> tuple[float, float]:
    """Return operations per second: the median over rounds, and the median distance from it."""
    return median_and_spread([1e6 / sample["wall"] for sample in samples])


def times_as_fast(samples: Samples, system: str, other: str, what: str = "wall") -> float | None:
    """Return the median over rounds of how many times as fast a system is as another.

    Each round is compared with itself: what slows the machine down for a while slows both.
    """
    if not (samples.get(system) and samples.get(other)):
        return None
    rounds = zip(samples[system], samples[other], strict=True)
    return statistics.median(theirs[what] / ours[what] for ours, theirs in rounds)


def share_in_queue(results: Mapping[str, Mapping[str, Samples]], threaded: str) -> float:
    """Return which share of the time one-threaded systems could have run, but had no core."""
    shares = [
        sample["queued"] / sample["wall"]
        for levels in results.values()
        for samples in levels.values()
        for system, taken in samples.items()
        if system != threaded
        for sample in taken
    ]
    return statistics.median(shares) if shares else 0.0
