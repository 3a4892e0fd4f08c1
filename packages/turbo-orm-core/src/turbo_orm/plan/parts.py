"""What a plan's statement consists of, and which methods of that wrote it.

Django asks each expression, condition, join and field for its SQL, every time. A plan does so only
while it is learnt, so it stands aside while one of their classes has another method. These are the
methods that return SQL, parameters or other such objects. Left out are private ones, constructors,
functions of modules, and what only tells about an object or copies it: its type, its sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.core.exceptions import FieldError
from django.db.models import Aggregate, Field, ForeignObjectRel, Lookup, Transform, Value
from django.db.models.expressions import BaseExpression, Col, OrderBy, Ref, Star
from django.db.models.query import RelatedPopulator
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.where import WhereNode

from .originals import remember
from .skipped import JOINING, LOOKUP_NAMES, Names

# On the class of each node, by what that is.
OF_NODES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Lookup, LOOKUP_NAMES),
    (OrderBy, ("as_postgresql", "as_sql", "resolve_expression")),
    (
        BaseExpression,
        (
            *("as_postgresql", "as_sql", "get_db_converters", "get_lookup", "resolve_expression"),
            "select_format",
        ),
    ),
    (WhereNode, ("add", "as_postgresql", "as_sql", "split_having_qualify")),
    (object, ("as_postgresql", "as_sql")),
)
# The same, if one of the nodes is of a class.
OF_OTHERS: tuple[tuple[type, tuple[tuple[type, tuple[str, ...]], ...]], ...] = (
    (Aggregate, ((BaseExpression, ("get_group_by_cols",)),)),
    (Transform, ((BaseExpression, ("get_transform",)),)),
    (Join, ((Query, JOINING), (RelatedPopulator, ("__init__", "populate")))),
    (OrderBy, ((Query, JOINING),)),
)
# On the class of each field: of a column, of what is compared, of a relation, of what is saved.
OF_COLUMNS = ("from_db_value", "get_col", "get_db_converters", "select_format")
OF_COMPARED = ("get_db_prep_value", "get_lookup", "get_prep_value", "get_transform", "to_python")
OF_JOINED = ("get_extra_restriction", "get_joining_columns", "get_joining_fields")
OF_SAVED = ("get_db_prep_save", "get_placeholder", "get_placeholder_sql")
# What Django may make of any chain when it is executed.
USUAL = frozenset({BaseTable, Col, Join, OrderBy, Ref, Star, Value, WhereNode})


class Parts(NamedTuple):
    """The classes of what a statement consists of.

    Args:
        nodes: of expressions, lookups, conditions and joins.
        columns: of the fields that are its columns.
        compared: of the fields that its conditions compare with values.
        joined: of the relations that its joins follow.
        saved: of the fields that it assigns to.
    """

    nodes: frozenset[type] = frozenset()
    columns: frozenset[type] = frozenset()
    compared: frozenset[type] = frozenset()
    joined: frozenset[type] = frozenset()
    saved: frozenset[type] = frozenset()

    def __or__(self, other: Parts) -> Parts:
        return Parts(*(one | more for one, more in zip(self, other, strict=True)))

    def with_usual(self, model: Any) -> Parts:
        """Return them with what Django may add to any query of a model when it is executed."""
        return self | parts_of((), columns=model._meta.concrete_fields)._replace(nodes=USUAL)

    def names(self) -> Iterator[Names]:
        """Yield each class with the methods that wrote its part of the SQL."""
        nodes = _sorted(self.nodes)
        for node in nodes:
            yield node, names_of_node(node)
        for base, others in OF_OTHERS:
            if any(issubclass(node, base) for node in nodes):
                for owner, names in others:
                    yield owner, names
                    yield from ((node, names) for node in nodes if issubclass(node, owner))
        for kinds, names in (
            (self.columns, OF_COLUMNS),
            (self.compared, OF_COMPARED),
            (self.joined, OF_JOINED),
            (self.saved, OF_SAVED),
        ):
            yield from ((kind, names) for kind in _sorted(kinds))


def names_of_node(kind: type) -> tuple[str, ...]:
    """Return the methods by which a node of this class writes its part of the SQL."""
    return next(names for base, names in OF_NODES if issubclass(kind, base))


def _sorted(kinds: Iterable[type]) -> list[type]:
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))


def parts_of(
    nodes: Iterable[Any], *, columns: Iterable[Any] = (), saved: Iterable[Any] = ()
) -> Parts:
    """Return the parts of a statement.

    Args:
        nodes: expressions, lookups, conditions and joins, whose sources are looked at too.
        columns: fields.
        saved: fields that are assigned to.
    """
    kinds: set[type] = set()
    read = {type(field) for field in columns}
    compared: set[type] = set()
    joined: set[type] = set()
    for node in _with_sources(nodes):
        kinds.add(type(node))
        if isinstance(node, Col):
            read |= {type(node.target), type(node.output_field)}
        if isinstance(node, Lookup):
            compared |= {type(field) for field in compared_fields(node)}
        if isinstance(node, Join):
            joined.add(type(node.join_field))
    return Parts(
        frozenset(kinds),
        frozenset(read),
        frozenset(compared),
        frozenset(joined),
        frozenset(type(field) for field in saved),
    )


def parts_of_query(query: Any, expressions: Iterable[Any] = ()) -> Parts:
    """Return the parts of a query that nobody has made SQL of yet.

    Args:
        query: Django's.
        expressions: what a method adds to it.
    """
    grouped = query.group_by if isinstance(query.group_by, tuple) else ()
    nodes = (
        *(query.where, *query.select, *query.annotations.values(), *grouped, *query.order_by),
        *(*query.alias_map.values(), *expressions),
    )
    return parts_of(nodes)


def _with_sources(nodes: Iterable[Any]) -> Iterator[Any]:
    waiting = [*nodes]
    while waiting:
        node = waiting.pop()
        if node is None or isinstance(node, str | tuple):
            # No filter, the name of a field, a condition that is not resolved yet.
            continue
        yield node
        waiting += getattr(node, "children", None) or ()
        if hasattr(node, "get_source_expressions"):
            waiting += node.get_source_expressions()


def compared_fields(lookup: Any) -> Iterator[Any]:
    """Yield the field whose values a lookup compares with, and those that a key refers to."""
    try:
        waiting = [lookup.lhs.output_field]
    except (AttributeError, FieldError):
        # An expression of no type, or of several.
        return
    while waiting:
        field = waiting.pop()
        yield field
        waiting += getattr(field, "foreign_related_fields", ())


def every(base: type) -> Iterator[type]:
    """Yield a class and all that inherit from it."""
    yield base
    heirs: list[type] = base.__subclasses__()
    for heir in heirs:
        yield from every(heir)


ROOTS = (BaseExpression, Field, ForeignObjectRel, *USUAL)
remember(RelatedPopulator, *(kind for root in ROOTS for kind in every(root)))
