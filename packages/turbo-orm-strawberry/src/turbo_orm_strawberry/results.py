"""What a resolver returned, with its rows in it before graphql-core reads them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

from django.db.models import Manager, QuerySet
from graphql import GraphQLResolveInfo
from strawberry_django.optimizer import optimizer

from .operation import Operation
from .streams import BridgedStream

READY = (list, tuple, str, bytes, Mapping)


def completed(value: Any, info: GraphQLResolveInfo, operation: Operation) -> Any:
    """Return the result of a field of a list type as something that needs no more queries.

    Args:
        value: what the resolver gave; in the bridge.
        info: graphql-core's.
        operation: whose work it is.

    graphql-core would read a queryset as an asynchronous iterator, outside the bridge.
    """
    if isinstance(value, READY):
        return value
    if isinstance(value, Manager):
        value = value.all()
    if isinstance(value, QuerySet):
        return list(_optimized(value, info))
    if isinstance(value, AsyncIterable):
        return BridgedStream(value, operation)
    # A generator, `queryset.iterator()`, a raw queryset: reading it may query.
    return list(value) if isinstance(value, Iterable) else value


def _optimized(queryset: QuerySet[Any], info: GraphQLResolveInfo) -> Any:
    """Return a queryset with what the optimizer extension adds to it, if that is there.

    By itself it sees only what a synchronous resolver of a plain field returns.
    """
    extension = optimizer.get()
    if extension is None or queryset._result_cache is not None:
        return queryset
    return extension.resolve(lambda *args, **kwargs: queryset, None, info)
