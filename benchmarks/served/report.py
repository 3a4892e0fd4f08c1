"""Pieces of tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def header(first: str, others: Sequence[str]) -> Iterator[str]:
    """Yield a table's first two lines: text on the left, figures on the right."""
    yield row(first, others)
    yield row("---", ["--:"] * len(others))


def row(first: str, others: Sequence[str]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join([first, *others])} |"
