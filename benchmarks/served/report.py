"""Pieces of tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.report import median_and_spread

from .wrk import Load


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
