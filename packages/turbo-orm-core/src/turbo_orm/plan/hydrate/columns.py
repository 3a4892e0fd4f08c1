"""The columns of a row: their variables in the generated code, and their converters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import JSONField

from ..originals import is_original
from ..source import NotExact, Source

try:
    from django.db.models.expressions import ColPairs
except ImportError:  # before Django 5.2 there are no composite primary keys
    ColPairs = ()  # type: ignore[assignment,misc]

Converter = Callable[[Any, Any, Any], Any]


class Columns:
    """The columns that Django's ``results_iter`` gives for a compiled query.

    Args:
        compiler: has compiled its SQL.

    Raises:
        NotExact: a column is a composite primary key.
    """

    def __init__(self, compiler: Any) -> None:
        self.expressions = [column[0] for column in compiler.select[: compiler.col_count]]
        if any(isinstance(expression, ColPairs) for expression in self.expressions):
            raise NotExact("composite primary key")
        if not self.expressions:
            raise NotExact("no columns")
        self.surplus = bool(compiler.has_extra_select)
        self.converters: dict[int, tuple[list[Converter], Any]] = compiler.get_converters(
            self.expressions
        )

    def __len__(self) -> int:
        return len(self.expressions)

    @property
    def pure(self) -> bool:
        """Whether no converter is anybody's but Django's."""
        return all(
            is_djangos_own(converter)
            for converters, _ in self.converters.values()
            for converter in converters
        )

    @property
    def target(self) -> str:
        """The left side of an assignment that unpacks a row."""
        # Columns that Django selects only to order by them follow after the others.
        return "".join(f"{variable(i)}, " for i in range(len(self))) + "*_" * self.surplus

    def convert(self, source: Source) -> None:
        """Write what ``apply_converters`` does: every column, in Django's order."""
        for position, (converters, expression) in self.converters.items():
            name, about = variable(position), source.constant(expression)
            for converter in converters:
                source.add(f"{name} = {source.constant(converter)}({name}, {about}, connection)")


def variable(position: int) -> str:
    """Return the name of a column's variable."""
    return f"v{position}"


def listed(positions: Iterable[int]) -> str:
    """Return the columns' variables, each with a comma behind it: what a tuple is made of."""
    return "".join(f"{variable(position)}, " for position in positions)


def is_djangos_own(converter: Converter) -> bool:
    """Return whether a converter runs no code of the project's or another package's."""
    function = getattr(converter, "__func__", converter)
    if not is_original(function):
        return False
    field: Any = getattr(converter, "__self__", None)
    if isinstance(field, JSONField):
        return field.decoder in (None, json.JSONDecoder)
    if hasattr(field, "base_field"):
        # An array hands each element to its base field.
        return is_djangos_own(field.base_field.from_db_value)
    return True
