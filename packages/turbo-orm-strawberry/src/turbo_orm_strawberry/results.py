"""What a resolver returned, with its rows in it before graphql-core reads them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

from django.db.models import Manager, QuerySet
from graphql import GraphQLResolveInfo
from strawberry_django.optimizer import optimizer

from .fields import Reading
from .guards import Budget, current_budget
from .operation import Operation
from .streams import BridgedStream

READY = (list, tuple, str, bytes, Mapping)


def completed(
    value: Any, reading: Reading, info: GraphQLResolveInfo[Any], operation: Operation
) -> Any:
    """Return the result of a field of a list type as something that needs no more queries.

    Args:
        value: what the resolver gave; in the bridge.
        reading: what is known of the field.
        info: graphql-core's.
        operation: whose work it is.

    Raises:
        GraphQLError: the operation has fetched more nodes than it may.

    graphql-core would read a queryset as an asynchronous iterator, outside the bridge.
    """
    budget = current_budget() if reading.has_nodes else None
    value = _rows(value, info, operation, budget)
    return value if budget is None else counted(value)


def counted(value: Any) -> Any:
    """Return a list, whose items are counted if the operation may have so many only.

    Args:
        value: what a field of a list type gives.

    Raises:
        GraphQLError: the operation has fetched more nodes than it may.
    """
    budget = current_budget()
    if budget is not None and isinstance(value, list | tuple):
        budget.spend(len(value))
    return value


def _rows(
    value: Any, info: GraphQLResolveInfo[Any], operation: Operation, budget: Budget | None
) -> Any:
    if isinstance(value, READY):
        return value
    if isinstance(value, Manager):
        value = value.all()
    if isinstance(value, QuerySet):
        if budget is not None:
            value = budget.bounded(value)
        return list(_optimized(value, info))
    if isinstance(value, Iterable):
        # A generator, `queryset.iterator()`, a raw queryset: reading it may query.
        return list(value)
    return BridgedStream(value, operation) if isinstance(value, AsyncIterable) else value


def _optimized(queryset: QuerySet[Any], info: GraphQLResolveInfo[Any]) -> Any:
    """Return a queryset with what the optimizer extension adds to it, if that is there.

    By itself it sees only what a synchronous resolver of a plain field returns.
    """
    extension = optimizer.get()
    if extension is None or queryset._result_cache is not None:
        return queryset

    def resolved(root: Any, info: Any) -> QuerySet[Any]:
        return queryset

    return extension.resolve(resolved, None, info)
