"""A queryset's chain as it was written: what Django's ``Query`` is made of when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import django
from django.db.models import QuerySet
from django.db.models.sql import Query

from . import shape, stats
from .cache import Node, cache
from .exceptions import Unplannable
from .warns import warns_of_name

# A step takes a queryset of Django's and what it was recorded with, and returns the next queryset.
Step = Callable[[Any, Any], Any]


# Without arguments both are deprecated, and Django says so at each call.
DJANGO_WARNS = django.VERSION >= (6, 1)


class Record:
    """One step of a chain, and by its predecessor all before it: what it says never changes."""

    __slots__ = ("node", "payload", "pending", "previous", "step", "values")

    def __init__(
        self,
        node: Node,
        values: tuple[Any, ...],
        previous: Record | None = None,
        step: Step | None = None,
        payload: Any = None,
        *,
        pending: bool = False,
    ) -> None:
        self.node = node
        self.values = values
        self.previous = previous
        self.step = step
        self.payload = payload
        # Whether a step was taken before it was known what must look at its values.
        self.pending = pending

    def __deepcopy__(self, memo: Any) -> Record:
        return self

    @property
    def current(self) -> bool:
        """Whether the cache still knows this shape's tree."""
        return self.node.generation == cache.generation

    @property
    def settled(self) -> bool:
        """Whether the values say all: none needed to be looked at before it could change.

        Until a plan was made nobody knows which do. Django has looked at them while it built its
        query, so that is what counts.
        """
        if self.pending:
            node: Node | None = self.node
            while node is not None:
                if node.checks is None or any(node.checks):
                    return False
                node = node.parent
            self.pending = False
        return True

    def steps(self) -> list[Record]:
        """Return every step, the first one first."""
        found = []
        record: Record | None = self
        while record is not None and record.step is not None:
            found.append(record)
            record = record.previous
        return found[::-1]


class Prepared:
    """A value that Django's lookup has looked at when the condition was written."""

    __slots__ = ("lookup", "raw")

    def __init__(self, raw: Any, lookup: Any) -> None:
        self.raw = raw
        self.lookup = lookup


def root(model: Any) -> Record | None:
    """Return the empty chain of a model, None if nothing is to be recorded."""
    if model is None or not cache.enabled:
        return None
    node = cache.roots.get(model)
    if node is None or node.ordering is not model._meta.ordering:
        node = cache.add_node(None, model, 0, QuerySet(model))
        # Some tests change it, and it is part of every shape.
        node.ordering = model._meta.ordering
        node.root = Record(node, ())
    found: Record = node.root
    return found


def build(model: Any, record: Record, query_class: type[Query] = Query) -> Any:
    """Return a queryset of Django's own on which every step of a chain was done.

    Args:
        model: the model of the queryset.
        record: the end of the chain.
        query_class: what its ``query`` is an instance of.
    """
    queryset: Any = QuerySet(model, query=query_class(model))
    for step in record.steps():
        assert step.step is not None
        queryset = step.step(queryset, step.payload)
    return queryset


def method(queryset: Any, payload: tuple[str, tuple[Any, ...], Mapping[str, Any]]) -> Any:
    """Call a method of Django's queryset again."""
    name, args, kwargs = payload
    return getattr(QuerySet, name)(queryset, *args, **kwargs)


def condition(queryset: Any, payload: tuple[str, Any]) -> Any:
    """Call ``filter()`` or ``exclude()`` again, with conditions as positional arguments.

    Args:
        queryset: one of Django's.
        payload: the method's name; the conditions as a list, or as keywords if all are plain.
    """
    name, children = payload
    if isinstance(children, dict):
        children = shape.slots(children)
    return getattr(QuerySet, name)(queryset, *children)


def limits(queryset: Any, payload: tuple[int | None, int | None]) -> Any:
    """Take a slice again."""
    return queryset[payload[0] : payload[1]]


def alone(queryset: Any, payload: tuple[int, bool]) -> Any:
    """Take away the order if that is meant, and set a limit, as ``get()`` does."""
    count, unordered = payload
    ordered = QuerySet.order_by(queryset) if unordered else queryset
    return ordered[:count]


def sticky(queryset: Any, payload: tuple[Step, Any]) -> Any:
    """Do another step, the first of two filters that share their joins."""
    step, inner = payload
    return step(queryset._next_is_sticky(), inner)


def chain(queryset: Any, payload: None) -> Any:
    """Do nothing but what each step does: end the stickiness of a filter."""
    return QuerySet.all(queryset)


class _Seeking(QuerySet[Any]):
    """Gives the queryset of which Django's ``earliest()`` fetches the only row."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self


def earliest(queryset: Any, payload: tuple[Any, ...]) -> Any:
    """Order by the fields and take the first row, as ``earliest()`` does."""
    return _sought(queryset, QuerySet.earliest, payload)


def latest(queryset: Any, payload: tuple[Any, ...]) -> Any:
    """Order by the fields backwards and take the first row, as ``latest()`` does."""
    return _sought(queryset, QuerySet.latest, payload)


def _sought(queryset: Any, method: Callable[..., Any], fields: tuple[Any, ...]) -> Any:
    seeking = _Seeking(queryset.model, queryset.query.chain(), queryset._db, queryset._hints)
    found = QuerySet.all(queryset)
    found._query = method(seeking, *fields)._query
    return found


def with_leaves(step: Record) -> tuple[Any, list[Any]]:
    """Return what a step is to be done with, and the conditions in it that have values."""
    if step.step is sticky:
        function, (name, children) = step.payload
    elif step.step is condition:
        function, (name, children) = None, step.payload
    else:
        return step.payload, []
    if type(children) is dict:
        children = shape.slots(children)
    payload = (name, children)
    return payload if function is None else (function, payload), children


def with_values(payload: Any, values: list[Any]) -> Any:
    """Return what a condition is recorded with, with other values."""
    if isinstance(payload[1], dict):
        payload = payload[0], shape.slots(payload[1])
    if isinstance(payload[1], list):
        return payload[0], shape.with_values(payload[1], iter(values))
    # A sticky one.
    return payload[0], with_values(payload[1], values)


def shape_of_call(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the key of a call whose arguments all belong to the shape, None if it has none."""
    if not args and (name == "select_related" or kwargs.get("flat")) and DJANGO_WARNS:
        return None
    plain = not kwargs
    for argument in args:
        if type(argument) is not str or "%" in argument:
            plain = False
    if plain:
        return (name, args)
    if any(map(warns_of_name, (*args, *kwargs))):
        return None
    try:
        return (name, shape.static(args), shape.static(kwargs))
    except Unplannable as error:
        stats.unplanned[error.reason] += 1
        return None


def shape_of_conditions(
    name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Any, list[Any], Any] | None:
    """Return key, values and conditions of ``filter()`` or ``exclude()``, None if it has none."""
    values: list[Any] = []
    if not args:
        literal = shape.literals(kwargs, values)
        if literal is not None:
            return (name, literal), values, kwargs
        values.clear()
    try:
        key, children = shape.conditions(args, kwargs, values)
    except Unplannable as error:
        stats.unplanned[error.reason] += 1
        return None
    return (name, key), values, children


def shape_of_slice(key: Any, sliced: bool) -> tuple[int | None, int | None] | None:
    """Return start and stop of a slice that only sets limits, None for any other."""
    if sliced or type(key) is not slice or key.step is not None:
        return None
    start, stop = key.start, key.stop
    for end in (start, stop):
        if end is not None and (type(end) is not int or end < 0):
            return None
    if stop is None and not start:
        return None
    # An empty slice is an empty queryset.
    return None if stop is not None and (start or 0) >= stop else (start, stop)
