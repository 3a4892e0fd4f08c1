"""From rows to objects: by a generated function where that is exact, else by Django's iterable."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

from .connected import live
from .plan import Plan


def objects_of(plan: Plan, queryset: Any, rows: list[tuple[Any, ...]], alias: str) -> list[Any]:
    """Return what Django's iterable makes of rows; user code in it may query.

    Args:
        plan: what the rows were fetched with.
        queryset: whose iterable, known related objects and fetch mode are used.
        rows: as the driver gave them.
        alias: the database that they come from.
    """
    compiler = live(plan.compiler)
    if compiler.has_extra_select:
        rows = [row[: compiler.col_count] for row in rows]

    def executed(*args: Any, **kwargs: Any) -> list[Any]:
        return [rows]

    def get_compiler(*args: Any, **kwargs: Any) -> Any:
        return compiler

    compiler.execute_sql = executed
    query = copy.copy(compiler.query)
    query.get_compiler = get_compiler
    stand_in = SimpleNamespace(
        query=query,
        db=alias,
        model=queryset.model,
        _known_related_objects=queryset._known_related_objects,
        _fields=queryset._fields,
        _fetch_mode=getattr(queryset, "_fetch_mode", None),
    )
    return list(queryset._iterable_class(stand_in))
