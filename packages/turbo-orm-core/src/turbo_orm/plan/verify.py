"""Compare each use of a plan with what Django does; ``TURBO_ORM = {"PLANS": "verify"}``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..exceptions import PlanMismatch
from . import stats
from .bind import WRAPPERS
from .execute import Statement
from .operation import Operation
from .record import Record
from .same import difference
from .trace import Run, fresh, planning


def statement(operation: Operation, record: Record, method: Run, planned: Statement) -> None:
    """Raise unless Django makes the same statement of a chain now.

    Raises:
        PlanMismatch: it does not.
    """
    with planning(operation.alias):
        found = fresh(operation.model, operation.alias, record, method)
    sql, params = planned.as_django()
    same("SQL", sql, found.sql, operation)
    parameters(params, found.params, operation)


def parameters(planned: Sequence[Any], djangos: Sequence[Any], operation: Operation) -> None:
    """Raise unless parameters are Django's.

    Raises:
        PlanMismatch: they are not.
    """
    ours, theirs = [*map(_unwrapped, planned)], [*map(_unwrapped, djangos)]
    same("parameters", ours, theirs, operation)


def _unwrapped(param: Any) -> Any:
    # Two of the driver's wrappers are never equal.
    return (type(param), param.obj) if isinstance(param, WRAPPERS) else param


def objects(planned: list[Any], djangos: Callable[[], list[Any]], operation: Operation) -> None:
    """Raise unless Django makes the same objects of the same rows.

    Raises:
        PlanMismatch: it does not.
    """
    same("objects", planned, djangos(), operation)


def same(what: str, planned: Any, djangos: Any, operation: Operation) -> None:
    """Raise unless two values are the same.

    Args:
        what: what they are.
        planned: the plan's.
        djangos: Django's.
        operation: what they are of.

    Raises:
        PlanMismatch: they are not.
    """
    found = difference(planned, djangos)
    if found is not None:
        stats.counts["mismatches"] += 1
        raise PlanMismatch(
            f"A plan gives other {what} than Django in {operation}: {found}. Please report this. "
            'TURBO_ORM = {"PLANS": "off"} lets Django execute all queries.'
        )
