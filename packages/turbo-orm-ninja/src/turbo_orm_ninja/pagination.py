"""Ninja's paginators with counts that run beside the page, are capped, or are left out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import isasyncgenfunction, iscoroutinefunction, isfunction
from typing import Any, TypeVar, get_type_hints, overload

import ninja.pagination as ninjas
from django.db.models import Manager, QuerySet
from django.utils.module_loading import import_string
from ninja.conf import settings
from ninja.constants import NOT_SET
from ninja.pagination import AsyncPaginationBase, CursorPagination, PaginationBase
from ninja.responses import Status
from ninja.signature.details import is_collection_type

from ninja import Schema
from turbo_orm.query import fetch_beside, is_free, optimize

from .call import Call, current_call
from .finishing import finishing
from .operation import bridged

__all__ = [
    "AsyncPaginationBase",
    "CursorPagination",
    "LimitOffsetPagination",
    "PageNumberPagination",
    "PaginationBase",
    "RouterPaginated",
    "paginate",
]

C = TypeVar("C", bound=Callable[..., Any])
T = TypeVar("T")


class Counting:
    """Mixed into Ninja's paginators that count.

    Args:
        count: True to count all rows, a number to count no further, False not to count: then the
            response has no ``count``.
        **kwargs: as for Ninja's.
    """

    items_attribute: str
    Output: Any

    class Uncounted(Schema):
        """The response without a count."""

        items: list[Any]

    def __init__(self, *, count: bool | int = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count
        if count is False:
            self.Output = self.Uncounted

    async def _page(self, queryset: Any, start: int, size: int) -> dict[str, Any]:
        rows = queryset[start : start + size]
        if self.count is False:
            return {self.items_attribute: await _fetch(rows)}
        if is_free(rows):
            count = await fetch_beside(rows, lambda: self._counted(queryset))
            return {self.items_attribute: list(rows), "count": count}
        items = await _fetch(rows)
        return {self.items_attribute: items, "count": await self._counted(queryset)}

    async def _counted(self, queryset: Any) -> int:
        if not isinstance(queryset, QuerySet):
            count = len(queryset)
            return count if self.count is True else min(count, self.count)
        if self.count is True:
            return await queryset.all().acount()
        return await queryset.order_by()[: self.count].acount()


class LimitOffsetPagination(Counting, ninjas.LimitOffsetPagination):
    """Mirrors ``ninja.pagination.LimitOffsetPagination``."""

    async def apaginate_queryset(
        self, queryset: Any, pagination: Any, request: Any, **params: Any
    ) -> Any:
        """Return the page that was asked for, and how many rows there are.

        Args:
            queryset: a queryset or a list.
            pagination: the validated input.
            request: the request.
            **params: the operation's arguments.
        """
        # Ninja 1.6 has the setting only.
        limit = min(pagination.limit, getattr(self, "max_limit", settings.PAGINATION_MAX_LIMIT))
        return await self._page(queryset, pagination.offset, limit)


class PageNumberPagination(Counting, ninjas.PageNumberPagination):
    """Mirrors ``ninja.pagination.PageNumberPagination``."""

    async def apaginate_queryset(
        self, queryset: Any, pagination: Any, request: Any, **params: Any
    ) -> Any:
        """Return the page that was asked for, and how many rows there are.

        Args:
            queryset: a queryset or a list.
            pagination: the validated input.
            request: the request.
            **params: the operation's arguments.
        """
        size = self._get_page_size(pagination.page_size)
        return await self._page(queryset, (pagination.page - 1) * size, size)


async def _fetch(rows: Any) -> list[Any]:
    if isinstance(rows, QuerySet):
        return [row async for row in rows]
    return list(rows)


@overload
def paginate(function_or_class: type[PaginationBase], **params: Any) -> Callable[[C], C]: ...
@overload
def paginate(function_or_class: C) -> C: ...
@overload
def paginate(**params: Any) -> Callable[[C], C]: ...
def paginate(function_or_class: Any = NOT_SET, **params: Any) -> Any:
    """Paginate an operation; querysets are optimised by the response schema before.

    Args:
        function_or_class: a paginator of Ninja's, of this module or of your own. As a decorator
            without arguments it takes the class that ``NINJA_PAGINATION_CLASS`` names.
        **params: what the paginator is made with.

    Mirrors ``ninja.pagination.paginate``.
    """
    if isfunction(function_or_class):
        return _paginated(function_or_class, _default_class(), {})
    paginator = _default_class() if function_or_class is NOT_SET else function_or_class
    return lambda function: _paginated(function, paginator, params)


def _default_class() -> Any:
    return _ours(import_string(settings.PAGINATION_CLASS))


def _ours(paginator: Any) -> Any:
    """Return our paginator where the project has set nothing, or one of Ninja's that count."""
    return {
        ninjas.LimitOffsetPagination: LimitOffsetPagination,
        ninjas.PageNumberPagination: PageNumberPagination,
    }.get(paginator, paginator)


def _paginated(function: Any, paginator: Any, params: dict[str, Any]) -> Any:
    prepared = optimized(function, paginator, params)
    return ninjas.paginate(paginator, **params)(prepared)


def optimized(function: Any, paginator: Any, params: dict[str, Any]) -> Any:
    """Let an operation return a queryset that fetches what its pages need."""
    if not iscoroutinefunction(function) or getattr(function, "_ninja_is_paginated", False):
        return function

    @functools.wraps(function)
    async def operate(request: Any, *args: Any, **kwargs: Any) -> Any:
        result = await function(request, *args, **kwargs)
        call = current_call()
        # An operation may call the function of another: its own response says nothing of that.
        if call is None or not call.endpoint.is_of(operate) or not call.endpoint.optimizes:
            return result
        if isinstance(result, Status):
            return Status(result.status_code, _optimize(call, result.value, paginator, params))
        return _optimize(call, result, paginator, params)

    operate.__signature__ = _resolved(function)  # type: ignore[attr-defined]
    return operate


def _resolved(function: Callable[..., Any]) -> inspect.Signature:
    """Return a function's signature with its annotations evaluated where they were written.

    Ninja looks for the names in the module of what is wrapped last.
    """
    signature = inspect.signature(function)
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError:
        # A name that is there for type checkers only: Ninja will say which.
        return signature
    return signature.replace(
        parameters=[
            parameter.replace(annotation=hints.get(parameter.name, parameter.annotation))
            for parameter in signature.parameters.values()
        ]
    )


def _optimize(call: Call, rows: Any, paginator: Any, params: dict[str, Any]) -> Any:
    if isinstance(rows, Manager):
        rows = rows.all()
    if not isinstance(rows, QuerySet):
        return rows
    paths = call.endpoint.page_paths(paginator.items_attribute if paginator.Output else None)
    if paths and issubclass(paginator, CursorPagination):
        # The cursor is made of what the rows are ordered by.
        order = params.get("ordering", settings.PAGINATION_DEFAULT_ORDERING)
        paths |= {name.lstrip("-").replace("__", ".") for name in order}
    call.complete = True
    return optimize(rows, paths)


class RouterPaginated(ninjas.RouterPaginated):
    """Mirrors ``ninja.pagination.RouterPaginated``: every operation that gives a list has pages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pagination_class = _ours(self.pagination_class)
        self.add_decorator(bridged, mode="view")
        self.add_decorator(finishing)

    def add_api_operation(
        self, path: str, methods: list[str], view_func: Callable[..., Any], **kwargs: Any
    ) -> None:
        """Add an operation; see ``Router.add_api_operation``."""
        if is_collection_type(kwargs["response"]) and not isasyncgenfunction(view_func):
            view_func = optimized(view_func, self.pagination_class, {})
        super().add_api_operation(path, methods, view_func, **kwargs)
