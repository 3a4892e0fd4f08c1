"""Turn the values of an UPDATE into parameters, as Django's compiler does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .bind import Binder
from .connected import live, saves_with_connection, stores_as_djangos
from .exceptions import Unplannable
from .tracing import Captured, Marker


def assignments(captured: Captured, assigned: Sequence[Any]) -> list[Binder]:
    """Return what turns each assigned value into its parameter.

    Args:
        captured: a traced statement.
        assigned: the values that were assigned in it, without those that are None.

    Raises:
        Unplannable: the statement does not simply begin with them.
    """
    query = captured.compiler.query
    if not hasattr(query, "related_updates"):
        return []
    if query.related_updates or not captured.sql.startswith("UPDATE "):
        raise Unplannable("an update of several tables or of a subquery")
    if not all(stores_as_djangos(field) for field, _, value in query.values if value is None):
        # None is part of the shape, and what the field makes of it would be too.
        raise Unplannable("a field of the project's own class that is given None")
    fields = assigned_fields(captured)
    params = captured.params[: len(assigned)]
    if len(fields) != len(assigned) or any(type(param) is Marker for param in params):
        raise Unplannable("assigned values that are not parameters")
    return [
        _saver(field, captured.compiler, value, param)
        for field, value, param in zip(fields, assigned, params, strict=True)
    ]


def assigned_fields(captured: Captured) -> list[Any]:
    """Return the fields to which an UPDATE assigns values other than None."""
    return [field for field, _, value in captured.compiler.query.values if value is not None]


def _saver(field: Any, compiler: Any, value: Any, param: Any) -> Binder:
    if has_placeholder(field):
        raise Unplannable("a field with a placeholder of its own")

    own, connection = saves_with_connection([field]), compiler.connection

    def bind(value: Any) -> Sequence[Any]:
        return (field.get_db_prep_save(value, live(compiler).connection if own else connection),)

    (found,) = bind(value)
    if type(found) is not type(param) or repr(found) != repr(param):
        raise Unplannable("an assigned value that is not its parameter")
    return bind


def has_placeholder(field: Any) -> bool:
    """Tell whether a field decides for each value what stands for it in the SQL."""
    return hasattr(field, "get_placeholder") or hasattr(field, "get_placeholder_sql")
