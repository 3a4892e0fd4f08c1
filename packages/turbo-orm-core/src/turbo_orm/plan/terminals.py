"""What ends a chain: how Django is brought to execute it, and what becomes of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Count, Model

from .connected import formats_columns
from .exceptions import Unplannable
from .hydrate.columns import is_djangos_own
from .shape import static
from .trace import Run
from .warns import refuse_assigned, warns_of_name

# What keys are called where that is not the name of the method.
METHODS = {"rows": "iteration", "save": "save()"}


class Terminal(NamedTuple):
    """A method that ends a chain.

    Args:
        key: its shape: what of its name and arguments decides the SQL.
        kind: what Django does to execute it, as ``skipped.SKIPPED`` calls that.
        run: brings Django to execute it on a queryset.
        finish: makes the result from the compiler and what the statement gave.
        assigned: values of its own, which become parameters before those of the chain.
        fields: what they are assigned to: fields, or their names.
        expressions: what it adds to the query.
    """

    key: Any
    kind: str
    run: Run
    finish: Callable[[Any, Any], Any]
    assigned: tuple[Any, ...] = ()
    fields: tuple[Any, ...] = ()
    expressions: tuple[Any, ...] = ()

    @property
    def method(self) -> str:
        """How Django calls what is done, for messages."""
        name = self.key if isinstance(self.key, str) else self.key[0]
        return METHODS.get(name, f"{name}()")

    def refuse(self, model: Any) -> None:
        """Refuse what Django warns of.

        Raises:
            Unplannable: one of the assigned values is such.
        """
        for field, value in zip(self.fields, self.assigned, strict=True):
            found = model._meta.get_field(field) if isinstance(field, str) else field
            refuse_assigned(found, value)

    def is_pure(self, compiler: Any) -> bool:
        """Return whether only Django's own code makes the result."""
        if self.kind not in {"aggregating", "counting"}:
            return True
        expressions = list(compiler.query.annotation_select.values())
        found = compiler.get_converters(expressions).values()
        return not formats_columns(expressions) and all(
            is_djangos_own(converter) for converters, _ in found for converter in converters
        )


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


def as_it_is(compiler: Any, result: Any) -> Any:
    """Return what the statement gave: its rows, or how many it changed."""
    return result


ROWS = Terminal("rows", "rows", _iterate, as_it_is)
COUNT = Terminal("count", "counting", _count, counted, expressions=(Count("*"),))
EXISTS = Terminal("exists", "checking", _exists, found_any)


def aggregation(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Terminal | None:
    """Return ``aggregate()`` with its arguments, None if they have no shape."""
    if any(map(warns_of_name, (*args, *kwargs))):
        return None
    try:
        key = ("aggregate", static(tuple(args)), static(dict(kwargs)))
    except Unplannable:
        return None
    return Terminal(
        key,
        "aggregating",
        lambda queryset: queryset.aggregate(*args, **kwargs),
        aggregated,
        expressions=(*args, *kwargs.values()),
    )


def update(values: Mapping[str, Any]) -> Terminal | None:
    """Return ``update()`` with its arguments, None if they are more than plain values."""
    if any(_is_more_than_a_value(value) for value in values.values()):
        return None
    key = ("update", *((name, value is None) for name, value in values.items()))
    given = {name: value for name, value in values.items() if value is not None}
    return Terminal(
        key,
        "updating",
        lambda queryset: queryset.update(**values),
        as_it_is,
        tuple(given.values()),
        tuple(given),
    )


def update_fields(values: Sequence[tuple[Any, Any, Any]]) -> Terminal | None:
    """Return ``_update()``, by which a model is saved, None for more than plain values."""
    if any(_is_more_than_a_value(value) for _, _, value in values):
        return None
    key = ("save", *((field.attname, value is None) for field, _, value in values))
    given = [(field, value) for field, _, value in values if value is not None]
    return Terminal(
        key,
        "updating",
        lambda queryset: queryset._update(values),
        as_it_is,
        tuple(value for _, value in given),
        tuple(field for field, _ in given),
    )


def _is_more_than_a_value(value: Any) -> bool:
    return isinstance(value, Model) or hasattr(value, "resolve_expression")


def _delete(queryset: Any) -> None:
    queryset = queryset.order_by()
    queryset.query.select_related = False
    queryset._raw_delete(queryset.db)


DELETE = Terminal("delete", "deleting", _delete, as_it_is)
