"""Code of the project's that takes part in a query, and may do something else at the next one.

A plan is made with a wrapper that has no connection. Django's own fields, lookups and converters
ask that wrapper only for what is the same for each query. A project's may use the connection, which
is that of the query that runs, or look at the language, the tenant or the clock.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.models import Lookup

from .originals import is_original
from .parts import OF_SAVED, compared_fields, names_of_node

# Methods that are given a connection, or a compiler that has one.
OF_FIELDS = ("get_db_prep_save", "get_db_prep_value")
OF_LOOKUPS = (
    *("as_postgresql", "as_sql", "batch_process_rhs", "get_db_prep_lookup", "process_lhs"),
    "process_rhs",
)
OF_COLUMNS = ("get_db_converters", "select_format")


def runs_only_djangos(kind: type, *names: str) -> bool:
    """Return whether methods of a class, as far as it has them, are Django's own.

    Args:
        kind: a class of fields, lookups or expressions.
        *names: the methods.
    """
    return all(is_original(found) for name in names if (found := getattr(kind, name, None)))


def gives_connection(lookup: Any) -> bool:
    """Return whether a lookup may give the connection to code of the project's."""
    nodes = [lookup, *lookup.lhs.flatten()]
    fields = [getattr(node, "output_field", None) for node in nodes[1:]]
    fields += [getattr(node, "target", None) for node in nodes[1:]]
    return not all(
        [
            *(runs_only_djangos(type(node), *OF_LOOKUPS) for node in nodes),
            *(runs_only_djangos(type(field), *OF_FIELDS) for field in fields),
        ]
    )


def depends_on_project(node: Any) -> bool:
    """Return whether code of the project's writes the SQL or the parameters of a node.

    Args:
        node: an expression, lookup, condition or join. Its sources are nodes themselves.
    """
    if not runs_only_djangos(type(node), *names_of_node(type(node))):
        return True
    return isinstance(node, Lookup) and not all(
        runs_only_djangos(type(field), *OF_FIELDS, "get_prep_value")
        for field in compared_fields(node)
    )


def stores_as_djangos(field: Any) -> bool:
    """Return whether Django's own code makes SQL and parameter of a value that a field stores."""
    return runs_only_djangos(type(field), *OF_SAVED, *OF_FIELDS, "get_prep_value")


def saves_with_connection(fields: Iterable[Any]) -> bool:
    """Return whether one of the fields may give the connection to code of the project's."""
    return not all(runs_only_djangos(type(field), *OF_FIELDS, "pre_save") for field in fields)


def formats_columns(expressions: Iterable[Any]) -> bool:
    """Return whether one of the columns is written or read as the project says."""
    return not all(
        runs_only_djangos(type(each), *OF_COLUMNS)
        for expression in expressions
        for each in (expression, getattr(expression, "output_field", None))
    )


def live(compiler: Any) -> Any:
    """Return a compiler like a plan's, with the connection of the query that runs.

    Call it in the bridge.
    """
    connected = copy.copy(compiler)
    connected.connection = connections[compiler.using]
    return connected
