"""DRF's paginators, with counts that may run beside the page, be capped, or be left out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property
from rest_framework import pagination as drfs
from rest_framework.exceptions import NotFound

from turbo_orm import await_, in_bridge, run_sync
from turbo_orm.query import fetch_beside, is_free

__all__ = [
    "BasePagination",
    "CursorPagination",
    "LimitOffsetPagination",
    "PageNumberPagination",
]


# What LIMIT and OFFSET take at most: PostgreSQL's bigint. A client may send any number.
ROWS_MAX = 2**63 - 1


class BasePagination(drfs.BasePagination):
    """Mirrors ``rest_framework.pagination.BasePagination``; may be awaited."""

    async def apaginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """Return the rows of the page that was asked for, None if there are to be no pages.

        Args:
            queryset: a queryset or a list.
            request: DRF's request.
            view: the view.

        Raises:
            NotFound: there is no such page.

        Mirrors ``paginate_queryset``, in the bridge.
        """
        return await run_sync(self.paginate_queryset, queryset, request, view)


class Counting(BasePagination):
    """What the paginators that count have in common."""

    # True counts all rows, a number counts no further, False does not count: then the response
    # has no `count`, and whether there is a next page is seen by one more row.
    counted: bool | int = True
    # True counts the rows while the page is fetched, outside a transaction. DRF counts first, and
    # asks for no page that the count rules out.
    counts_beside_page: bool = False

    def get_paginated_response(self, data: Any) -> Any:
        """Return the response for a page; see DRF's.

        Args:
            data: the serialized rows.
        """
        inherited: Any = super()
        response = inherited.get_paginated_response(data)
        if self.counted is False:
            response.data.pop("count", None)
        return response

    def get_paginated_response_schema(self, schema: Any) -> Any:
        """Return the schema of the response; see DRF's.

        Args:
            schema: of the list.
        """
        inherited: Any = super()
        described = inherited.get_paginated_response_schema(schema)
        if self.counted is False:
            described["properties"].pop("count", None)
            described["required"] = [name for name in described["required"] if name != "count"]
        return described

    def _count(self, queryset: Any, count_all: Callable[[], int]) -> int:
        """Count rows, as far as they are to be counted."""
        if self.counted is True:
            return count_all()
        if isinstance(queryset, QuerySet):
            return queryset.order_by()[: self.counted].count()
        return min(count_all(), self.counted)

    def _fetch(self, rows: Any, end: int, count: Callable[[], int]) -> int:
        """Fetch the rows of a page if they can be while others are counted; return how many.

        DRF asks for no page that the count rules out: one that no database can be asked for is not
        fetched before.
        """
        if self.counts_beside_page and end <= ROWS_MAX and in_bridge() and is_free(rows):
            # Without a connection in hand: many requests that each hold one and wait for another,
            # wait for ever.
            return await_(fetch_beside(rows, partial(run_sync, count)), suspending=True)
        return count()


class LimitOffsetPagination(Counting, drfs.LimitOffsetPagination):
    """Mirrors ``rest_framework.pagination.LimitOffsetPagination``."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """Return the rows of the page that was asked for, None if there are to be no pages.

        Args:
            queryset: a queryset or a list.
            request: DRF's request.
            view: the view.

        Mirrors ``LimitOffsetPagination.paginate_queryset``.
        """
        self.request = request
        self.limit = self.get_limit(request)
        if self.limit is None:
            return None
        self.offset = self.get_offset(request)
        page = self._page(queryset, self.offset, self.offset + self.limit)
        if self.count > self.limit and self.template is not None:
            self.display_page_controls = True
        return page

    def _page(self, queryset: Any, start: int, end: int) -> list[Any]:
        if self.counted is False:
            rows = list(_rows_of(queryset, start, end + 1))
            # As many as are known of: the links need no more.
            self.count = start + len(rows)
            return rows[: end - start]
        rows = queryset[start:end]
        count = partial(self._count, queryset, self._all_of(queryset))
        self.count = self._fetch(rows, end, count)
        return list(rows) if start < self.count else []

    def _all_of(self, queryset: Any) -> Callable[[], int]:
        return partial(self.get_count, queryset)


class PageNumberPagination(Counting, drfs.PageNumberPagination):
    """Mirrors ``rest_framework.pagination.PageNumberPagination``."""

    @property
    def django_paginator_class(self) -> Callable[[Any, int], Paginator[Any]]:
        """What cuts the rows into pages; a subclass may name a paginator of its own.

        Mirrors ``PageNumberPagination.django_paginator_class``.
        """
        return partial(Pages, self)

    def get_page_number(self, request: Any, paginator: Any) -> Any:
        """Return the number of the page that was asked for; see DRF's.

        Args:
            request: DRF's request.
            paginator: Django's.

        Raises:
            NotFound: the last page was asked for, and nobody counts.
        """
        asked = request.query_params.get(self.page_query_param)
        if self.counted is False and asked in self.last_page_strings:
            raise NotFound(
                self.invalid_page_message.format(page_number=asked, message="Rows are not counted.")
            )
        return super().get_page_number(request, paginator)


class Pages(Paginator):  # type: ignore[type-arg]
    """Django's paginator, with rows that are fetched while they are counted."""

    def __init__(self, counting: Counting, object_list: Any, per_page: int) -> None:
        super().__init__(object_list, per_page)
        self._counting = counting
        self._rows: Any = None

    @cached_property
    def count(self) -> int:
        """How many rows there are, or are known of."""
        return self._counting._count(self.object_list, lambda: _count_of(self.object_list))

    def page(self, number: Any) -> Page[Any]:
        """Return a page.

        Args:
            number: from 1.

        Raises:
            InvalidPage: there is no such page.

        Mirrors ``Paginator.page``.
        """
        try:
            index = int(number)
        except (TypeError, ValueError):
            index = 0
        # Django says what is wrong with others.
        if index > 0 and "count" not in vars(self):
            self._fetch((index - 1) * self.per_page)
        return super().page(number)

    def _fetch(self, start: int) -> None:
        end = start + self.per_page
        if self._counting.counted is False:
            fetched = list(_rows_of(self.object_list, start, end + 1))
            # With none there is no such page. Django divides numbers of rows as floats: that of
            # the rows before is too inexact for a page that a client has made up.
            self.count = start + len(fetched) if fetched else 0
            self._rows = fetched[: self.per_page]
            return
        rows = self.object_list[start:end]
        self.count = self._counting._fetch(rows, end, lambda: self.count)
        if getattr(rows, "_result_cache", None) is not None:
            self._rows = rows

    def _get_page(self, object_list: Any, number: int, paginator: Any) -> Page[Any]:
        rows = object_list if self._rows is None else self._rows
        return super()._get_page(rows, number, paginator)  # type: ignore[misc,no-any-return]


class CursorPagination(BasePagination, drfs.CursorPagination):
    """Mirrors ``rest_framework.pagination.CursorPagination``, which counts nothing."""


def awaitable(kind: Any) -> Any:
    """Return our paginator for one of DRF's own that count, such as one that the settings name.

    Args:
        kind: any paginator class; a subclass of DRF's stays what it is.
    """
    return OURS.get(kind, kind)


OURS = {
    drfs.LimitOffsetPagination: LimitOffsetPagination,
    drfs.PageNumberPagination: PageNumberPagination,
}


def _count_of(rows: Any) -> int:
    return int(rows.count()) if isinstance(rows, QuerySet) else len(rows)


def _rows_of(queryset: Any, start: int, end: int) -> Any:
    """Return a slice; nothing of a place that no database can be asked for."""
    return [] if start > ROWS_MAX else queryset[start : min(end, ROWS_MAX)]


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(drfs, name)
