"""The shape of arguments: what of them decides the SQL, and which of them are only parameters."""

from __future__ import annotations

import datetime
import decimal
import uuid
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db.models import Field, FilteredRelation, Model, Q, QuerySet
from django.utils.functional import cached_property

from .exceptions import Unplannable

# Types of which a value is a parameter whatever it is. None and booleans change the SQL.
LITERALS = frozenset(
    {
        *(int, str, float, bytes, decimal.Decimal, uuid.UUID),
        *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
    }
)
# Types of which a value's representation tells all of it.
REPRESENTED = LITERALS | {zoneinfo.ZoneInfo, datetime.timezone}
# In a sequence a boolean is a parameter like any other; None is left out or adds a condition.
ELEMENTS = LITERALS | {bool, type(None)}
# Longer lists are seldom of the same length twice.
SEQUENCE_MAX = 100


# A condition is a path and a value.
PAIR = 2
# What ``Q`` takes as keywords for itself.
RESERVED = frozenset({"_connector", "_negated"})


class Slot(tuple[str, Any]):
    """A condition ``(path, value)`` whose value is a parameter."""

    __slots__ = ()


# Stands in a shape for a model instance of a class.
INSTANCE = object()


def literals(kwargs: Mapping[str, Any], values: list[Any]) -> tuple[Any, ...] | None:
    """Return the shape of keywords that are all plain values, None if they are more than that.

    Args:
        kwargs: conditions as keywords; Django sorts them.
        values: is extended by what is only a parameter.
    """
    shape: list[Any] = []
    for path in sorted(kwargs) if len(kwargs) > 1 else kwargs:
        value = kwargs[path]
        kind = type(value)
        if kind in LITERALS:
            values.append(value)
            shape += (path, kind)
        elif value is None or kind is bool:
            shape += (path, value)
        else:
            return None
    return None if RESERVED.intersection(kwargs) else tuple(shape)


def slots(kwargs: Mapping[str, Any]) -> list[Any]:
    """Return keywords that are all plain values as the conditions that Django makes of them."""
    return [
        (Slot if type(value) in LITERALS else tuple)((path, value))
        for path, value in sorted(kwargs.items())
    ]


def conditions(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], values: list[Any]
) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the shape of the arguments of ``filter()``, and the children of Django's ``Q``.

    Args:
        args: conditions as ``Q``, tuples or expressions.
        kwargs: conditions as keywords; Django sorts them.
        values: is extended by what is only a parameter.

    Raises:
        Unplannable: something in them has no shape.
    """
    shape: list[Any] = []
    children: list[Any] = []
    for child in args:
        _condition(child, shape, children, values)
    for path in sorted(kwargs) if len(kwargs) > 1 else kwargs:
        if path in RESERVED:
            raise Unplannable("a keyword of Q itself")
        shape.append(path)
        shape.append(_value(path, kwargs[path], children, values))
    return tuple(shape), children


def _condition(child: Any, shape: list[Any], children: list[Any], values: list[Any]) -> None:
    if isinstance(child, Q):
        if type(child) is not Q:
            raise Unplannable("a subclass of Q")
        inner_shape: list[Any] = []
        inner: list[Any] = []
        for grandchild in child.children:
            _condition(grandchild, inner_shape, inner, values)
        shape.append((Q, child.connector, child.negated, tuple(inner_shape)))
        children.append(Q.create(inner, child.connector, child.negated))
    elif type(child) is tuple and len(child) == PAIR:
        path, value = child
        shape.append(path)
        shape.append(_value(path, value, children, values))
    elif hasattr(child, "resolve_expression"):
        shape.append(static(child))
        children.append(child)
    else:
        # Its key could look like that of a path and value.
        raise Unplannable("an argument that is no condition")


def _value(path: str, value: Any, children: list[Any], values: list[Any]) -> Any:
    """Return the shape of the value of one condition, and append that condition."""
    kind = type(value)
    if kind in LITERALS:
        values.append(value)
        children.append(Slot((path, value)))
        return kind
    if value is None or kind is bool:
        children.append((path, value))
        return value
    if hasattr(value, "resolve_expression"):
        children.append((path, value))
        return static(value)
    shape, copy = _snapshot(path, kind, value)
    values.append(copy)
    children.append(Slot((path, copy)))
    return shape


def _snapshot(path: str, kind: type, value: Any) -> tuple[Any, Any]:
    """Return the shape of a value that is more than a literal, and the value as it is now."""
    if kind is list or kind is tuple:
        return _sequence(kind, value)
    if (kind is set or kind is frozenset) and path.endswith("__in"):
        # Django reads it at once, in this order.
        return _sequence(kind, list(value))
    if isinstance(value, Model):
        # A lazy object is of the class that it stands for.
        return (INSTANCE, value.__class__), value
    # Members of enumerations and marked strings are literals too.
    if kind is dict or isinstance(value, str | int):
        return kind, value
    raise Unplannable(f"a value of type {kind.__name__}")


def _sequence(kind: type, value: Any) -> tuple[Any, Any]:
    if len(value) > SEQUENCE_MAX:
        raise Unplannable(f"more than {SEQUENCE_MAX} values")
    kinds = frozenset(map(type, value))
    if not kinds <= ELEMENTS and not (len(kinds) == 1 and isinstance(value[0], Model)):
        raise Unplannable("a sequence of other than plain values")
    return (kind, len(value), kinds), list(value) if kind is list else value


def with_values(children: list[Any], values: Iterator[Any]) -> list[Any]:
    """Return conditions with other values, in the same order."""
    changed: list[Any] = []
    for child in children:
        if isinstance(child, Slot):
            changed.append(Slot((child[0], next(values))))
        elif isinstance(child, Q):
            inner = with_values(child.children, values)
            changed.append(Q.create(inner, child.connector, child.negated))
        else:
            changed.append(child)
    return changed


def static(value: Any) -> Any:
    """Return a key of a value that belongs to the shape as a whole, literals included.

    Raises:
        Unplannable: there is none.
    """
    kind = type(value)
    if kind is str or value is None or kind is bool:
        # A bool equals the number that it is, a str nothing else.
        return (kind, value) if kind is bool else value
    if kind in REPRESENTED:
        # Equal literals may still be different parameters: 1 and 1.0, 1.0 and 1.00, 0.0 and -0.0.
        return (kind, repr(value))
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](value)
    if isinstance(value, Field):
        return _field(value)
    if isinstance(value, type):
        return value
    if hasattr(value, "resolve_expression"):
        return _expression(value)
    raise Unplannable(f"an argument of type {kind.__name__}")


def _many(value: Any) -> tuple[Any, ...]:
    return (type(value), *map(static, value))


def _mapping(value: Mapping[Any, Any]) -> tuple[Any, ...]:
    return (dict, *((static(name), static(item)) for name, item in value.items()))


_CONTAINERS: dict[type, Callable[[Any], Any]] = {list: _many, tuple: _many, dict: _mapping}


def _field(field: Field[Any, Any]) -> Any:
    if not type(field).__module__.startswith("django."):
        raise Unplannable("a field of the project's own class in an expression")
    model = getattr(field, "model", None)
    if model is not None:
        return (Field, model, field.name)
    _, path, args, kwargs = field.deconstruct()
    return (path, static(tuple(args)), static(kwargs))


def _expression(value: Any) -> Any:
    kind = type(value)
    if isinstance(value, QuerySet):
        raise Unplannable("a subquery")
    if not kind.__module__.startswith("django."):
        raise Unplannable("an expression of the project's own class")
    if kind.__module__.startswith("django.db.models.sql"):
        raise Unplannable("a subquery")
    if isinstance(value, FilteredRelation):
        raise Unplannable("a filtered relation")
    if hasattr(value, "queryset") or hasattr(value, "query"):
        raise Unplannable("a subquery")
    # Its state and not the arguments that it was made with: methods may have changed it since.
    state = [
        (name, static(item))
        for name, item in vars(value).items()
        if name != "_constructor_args" and not _is_cache(kind, name)
    ]
    return (kind, *state)


def _is_cache(kind: type, name: str) -> bool:
    # The constructor puts its own `output_field` where otherwise the inferred one is kept.
    return name != "output_field" and isinstance(getattr(kind, name, None), cached_property)
