"""Dictionaries, tuples and single values from rows: the iterables of ``values()`` and kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models.query import (
    FlatValuesListIterable,
    NamedValuesListIterable,
    ValuesIterable,
    ValuesListIterable,
)
from django.db.models.sql import Query
from django.db.models.utils import create_namedtuple_class

from ..source import NotExact, Source
from .columns import Columns, listed, variable

Fields = Sequence[str] | None

# Since Django 5.2 the SQL has the columns in the order in which they were asked for.
SORTS_COLUMNS = hasattr(Query, "selected")


def values_function(
    columns: Columns, iterable_class: type, query: Any, fields: Fields
) -> Callable[..., list[Any]]:
    """Return a function that makes what the iterable class makes of rows.

    Args:
        columns: of a row.
        iterable_class: one of Django's four.
        query: the compiled one.
        fields: the queryset's ``_fields``.

    Raises:
        NotExact: Django would fail, or give something odd.
    """
    source = Source()
    value = WRITERS[iterable_class](source, columns, query, fields)
    with source.block("def hydrate(rows, db, connection, fetch_mode):"):
        if value is None:
            source.add("return list(rows)")
        elif not columns.converters:
            source.add(f"return [{value} for {columns.target} in rows]")
        else:
            source.add("values = []", "add = values.append")
            with source.block(f"for {columns.target} in rows:"):
                columns.convert(source)
                source.add(f"add({value})")
            source.add("return values")
    return source.function("hydrate")


def needs_fields(iterable_class: type) -> bool:
    """Return whether what becomes of a row depends on the queryset's ``_fields``."""
    return iterable_class is NamedValuesListIterable or (
        iterable_class is ValuesListIterable and not SORTS_COLUMNS
    )


def _dictionary(source: Source, columns: Columns, query: Any, fields: Fields) -> str:
    names = list(getattr(query, "selected", None) or _selected(query))
    items = [f"{source.string(name)}: {variable(i)}" for i, name in enumerate(names)]
    return f"{{{', '.join(items)}}}"


def _tuple(source: Source, columns: Columns, query: Any, fields: Fields) -> str | None:
    order = list(range(len(columns))) if SORTS_COLUMNS else _order(columns, query, fields)
    if order == list(range(len(columns))) and not columns.converters and not columns.surplus:
        return None
    return f"({listed(order)})"


def _named_tuple(source: Source, columns: Columns, query: Any, fields: Fields) -> str:
    names = fields or _selected(query)
    try:
        row_class = source.constant(create_namedtuple_class(*names))
    except ValueError as error:
        raise NotExact("names that a named tuple cannot have") from error
    values = _tuple(source, columns, query, fields) or f"({listed(range(len(columns)))})"
    return f"{source.constant(tuple.__new__)}({row_class}, {values})"


def _flat(source: Source, columns: Columns, query: Any, fields: Fields) -> str:
    return variable(0)


def _selected(query: Any) -> list[str]:
    return [*query.extra_select, *query.values_select, *query.annotation_select]


def _order(columns: Columns, query: Any, fields: Fields) -> list[int]:
    # Before Django 5.2 the iterable sorts each row's columns.
    names, everything = _selected(query), list(range(len(columns)))
    if not fields:
        return everything
    wanted = [*fields, *(name for name in query.annotation_select if name not in fields)]
    if wanted == names:
        return everything
    position = {name: i for i, name in enumerate(names)}
    if len(wanted) == 1 or not set(wanted) <= set(position):
        raise NotExact("columns that cannot be sorted")
    return [position[name] for name in wanted]


WRITERS: dict[type, Callable[[Source, Columns, Any, Fields], str | None]] = {
    FlatValuesListIterable: _flat,
    NamedValuesListIterable: _named_tuple,
    ValuesIterable: _dictionary,
    ValuesListIterable: _tuple,
}
