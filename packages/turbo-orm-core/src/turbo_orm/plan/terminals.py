"""What ends a chain: how Django is brought to execute it, and what becomes of the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .trace import Terminal

# Makes the result of a terminal from rows; the compiler is the one that wrote the statement.
Finish = Callable[[Any, list[tuple[Any, ...]]], Any]


def _iterate(queryset: Any) -> None:
    for _ in queryset._iterable_class(queryset):
        pass


def _count(queryset: Any) -> None:
    queryset.count()


def _exists(queryset: Any) -> None:
    queryset.exists()


def aggregated(compiler: Any, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the values of an aggregation by name."""
    annotations = compiler.query.annotation_select
    row: Any = rows[0][: compiler.col_count]
    converters = compiler.get_converters(annotations.values())
    if converters:
        row = next(iter(compiler.apply_converters((row,), converters)))
    return dict(zip(annotations, row, strict=True))


def counted(compiler: Any, rows: list[tuple[Any, ...]]) -> Any:
    """Return the one value of an aggregation."""
    return next(iter(aggregated(compiler, rows).values()))


def found_any(compiler: Any, rows: list[tuple[Any, ...]]) -> bool:
    """Return whether there is a row."""
    return bool(rows)


ROWS: tuple[str, Terminal] = ("rows", _iterate)
COUNT: tuple[str, Terminal] = ("count", _count)
EXISTS: tuple[str, Terminal] = ("exists", _exists)

FINISH: dict[str, Finish] = {"count": counted, "exists": found_any, "aggregate": aggregated}
