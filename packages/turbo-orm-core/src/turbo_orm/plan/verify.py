"""Compare each use of a plan with what Django does; ``TURBO_ORM = {"PLANS": "verify"}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model

from ..exceptions import PlanMismatch
from . import stats
from .execute import Statement
from .record import Record
from .trace import Run, fresh, planning


def statement(model: Any, alias: str, record: Record, method: Run, planned: Statement) -> None:
    """Raise unless Django makes the same statement of a chain now.

    Raises:
        PlanMismatch: it does not.
    """
    with planning(alias):
        found = fresh(model, alias, record, method)
    sql, params = planned.as_django()
    _same("SQL", sql, found.sql)
    _same("parameters", [*map(_typed, params)], [*map(_typed, found.params)])


def _typed(value: Any) -> tuple[type, str]:
    return type(value), repr(value)


def objects(planned: list[Any], djangos: Callable[[], list[Any]]) -> None:
    """Raise unless Django makes the same objects of the same rows.

    Raises:
        PlanMismatch: it does not.
    """
    _same("objects", [*map(_state, planned)], [*map(_state, djangos())])


def _state(value: Any, seen: frozenset[int] = frozenset()) -> Any:
    """Return everything of an object that can be compared; related objects may refer to it."""
    shown: Any = type(value).__repr__
    if shown is object.__repr__:
        # It would tell where in memory it is.
        return type(value), sorted(map(repr, getattr(value, "__dict__", {}).items()))
    if not isinstance(value, Model):
        return type(value), repr(value)
    if id(value) in seen:
        return type(value), value.pk
    seen |= {id(value)}
    state: dict[str, Any] = dict(value.__dict__)
    internal = dict(state.pop("_state").__dict__)
    internal.pop("peers", None)
    related = internal.pop("fields_cache", {})
    cached = {name: _state(item, seen) for name, item in related.items()}
    values = {name: _state(item, seen) for name, item in state.items()}
    return type(value), list(state), values, sorted(map(repr, internal.items())), cached


def _same(what: str, planned: Any, djangos: Any) -> None:
    if planned != djangos:
        stats.counts["mismatches"] += 1
        raise PlanMismatch(f"The plan's {what}: {planned!r}. Django's: {djangos!r}.")
