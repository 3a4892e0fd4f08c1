"""The values of an INSERT: many at once where it is known what Django makes of their type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models import BooleanField, CharField, Field, IntegerField, TextField

from .guards import Guard, guard
from .originals import remember

NULL = type(None)
# Whose values of the type are stored as they are; a subclass that converts differently is none.
UNCHANGED: tuple[tuple[Any, type], ...] = ((CharField, str), (TextField, str), (BooleanField, bool))
# What of a field makes a parameter of an instance's value.
STORING = ("get_db_prep_save", "get_db_prep_value", "get_prep_value", "pre_save", "to_python")
remember(*(base for base, _ in UNCHANGED), IntegerField, DatabaseOperations)


class Plain(NamedTuple):
    """A field that stores ordinary values in a known way.

    Args:
        read: reads the value off an instance.
        kinds: the types of which it is known.
        adapt: makes the parameter of a value; None where it is the value.
    """

    read: Callable[[Any], Any]
    kinds: frozenset[type]
    adapt: Callable[[Any], Any] | None

    def column(self, objs: Sequence[Any]) -> list[Any] | None:
        """Return the parameters of all instances, None if Django has to be asked."""
        values = [*map(self.read, objs)]
        if not self.kinds.issuperset(map(type, values)):
            return None
        return values if self.adapt is None else [*map(self.adapt, values)]


def plain_fields(fields: Sequence[Any], connection: Any) -> list[Plain] | None:
    """Return how fields store ordinary values, None if one of them has a way of its own.

    Args:
        fields: those of an insert.
        connection: Django's, of the database.
    """
    found = [_plain(field, connection) for field in fields]
    return None if None in found else [each for each in found if each is not None]


def guard_of_values(fields: Sequence[Any], connection: Any) -> Guard:
    """Return what tells whether the classes of fields store values as Django's do, at present.

    Args:
        fields: those of an insert.
        connection: Django's, of the database.
    """
    # Methods call those of their bases.
    kinds = dict.fromkeys(base for field in fields for base in type(field).__mro__)
    adapting = (type(connection.ops), ("adapt_integerfield_value",))
    return guard(*((kind, STORING) for kind in kinds if kind is not object), adapting)


def store_otherwise(fields: Sequence[Any]) -> bool:
    """Return whether a field has methods of its own, which somebody has put on the instance."""
    return not all(vars(field).keys().isdisjoint(STORING) for field in fields)


def _plain(field: Any, connection: Any) -> Plain | None:
    kind: Any = type(field)
    if kind.pre_save is not Field.pre_save or kind.get_db_prep_save is not Field.get_db_prep_save:
        return None
    read = attrgetter(field.attname)
    for base, stored in UNCHANGED:
        if _converts_as(kind, base, "get_prep_value", "get_db_prep_value", "to_python"):
            return Plain(read, frozenset({stored, NULL}), None)
    adapts = type(connection.ops).adapt_integerfield_value
    if (
        _converts_as(kind, IntegerField, "get_prep_value", "get_db_prep_value")
        and adapts is DatabaseOperations.adapt_integerfield_value
    ):
        wrapper = connection.ops.integerfield_type_map.get(field.get_internal_type())
        return None if wrapper is None else Plain(read, frozenset({int}), wrapper)
    return None


def _converts_as(kind: Any, base: Any, *methods: str) -> bool:
    return all(getattr(kind, method) is getattr(base, method) for method in methods)
