# What type checkers see of Django's methods on our querysets and managers. Each keeps Django's
# parameters; its return type is declared anew, so that every step of a chain can be awaited.

import datetime
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, Literal

from django.db.backends.utils import _ExecuteQuery
from django.db.models import Manager, Model, Prefetch, QuerySet
from django.db.models.expressions import Combinable
from typing_extensions import Self

from .queryset import AsyncQuerySet, M_co, R_co
from .raw import AsyncRawQuerySet

class TypedQuerySet(QuerySet[M_co, R_co]):
    _prefetch_done: bool
    _prefetch_related_lookups: tuple[Any, ...]
    @classmethod
    def as_manager(cls) -> Any: ...
    def dates(
        self,
        field_name: str,
        kind: Literal["year", "month", "week", "day"],
        order: Literal["ASC", "DESC"] = "ASC",
    ) -> AsyncQuerySet[M_co, datetime.date]: ...
    def datetimes(
        self,
        field_name: str,
        kind: Literal["year", "month", "week", "day", "hour", "minute", "second"],
        order: Literal["ASC", "DESC"] = "ASC",
        tzinfo: datetime.tzinfo | None = None,
    ) -> AsyncQuerySet[M_co, datetime.datetime]: ...
    def extra(
        self,
        select: dict[str, Any] | None = None,
        where: Sequence[str] | None = None,
        params: Sequence[Any] | None = None,
        tables: Sequence[str] | None = None,
        order_by: Sequence[str | Combinable] | None = None,
        select_params: Sequence[Any] | None = None,
    ) -> AsyncQuerySet[Any, Any]: ...
    def raw(
        self,
        raw_query: _ExecuteQuery,
        params: Iterable[Any] | Mapping[str, Any] = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> AsyncRawQuerySet[M_co]: ...
    def values(
        self, *fields: str | Combinable, **expressions: Any
    ) -> AsyncQuerySet[M_co, dict[str, Any]]: ...
    def values_list(
        self, *fields: str | Combinable, flat: bool = False, named: bool = False
    ) -> AsyncQuerySet[M_co, Any]: ...

class TypedManager(Manager[M_co]):
    @classmethod
    def from_queryset(
        cls, queryset_class: type[QuerySet[M_co]], class_name: str | None = None
    ) -> type[Self]: ...
    async def adelete(self) -> tuple[int, dict[str, int]]: ...
    def aiterator(self, chunk_size: int = 2000) -> AsyncGenerator[M_co]: ...
    def alias(self, *args: Any, **kwargs: Any) -> AsyncQuerySet[M_co]: ...
    async def alist(self) -> list[M_co]: ...
    def all(self) -> AsyncQuerySet[M_co]: ...
    def annotate(self, *args: Any, **kwargs: Any) -> AsyncQuerySet[M_co]: ...
    async def araw(
        self,
        raw_query: _ExecuteQuery,
        params: Iterable[Any] | Mapping[str, Any] = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> list[M_co]: ...
    def complex_filter(self, filter_obj: Any) -> AsyncQuerySet[M_co]: ...
    def dates(
        self,
        field_name: str,
        kind: Literal["year", "month", "week", "day"],
        order: Literal["ASC", "DESC"] = "ASC",
    ) -> AsyncQuerySet[M_co, datetime.date]: ...
    def datetimes(
        self,
        field_name: str,
        kind: Literal["year", "month", "week", "day", "hour", "minute", "second"],
        order: Literal["ASC", "DESC"] = "ASC",
        tzinfo: datetime.tzinfo | None = None,
    ) -> AsyncQuerySet[M_co, datetime.datetime]: ...
    def defer(self, *fields: str | None) -> AsyncQuerySet[M_co]: ...
    def difference(self, *other_qs: QuerySet[Model, Any]) -> AsyncQuerySet[M_co]: ...
    def distinct(self, *field_names: str) -> AsyncQuerySet[M_co]: ...
    def exclude(self, *args: Any, **kwargs: Any) -> AsyncQuerySet[M_co]: ...
    def extra(
        self,
        select: dict[str, Any] | None = None,
        where: Sequence[str] | None = None,
        params: Sequence[Any] | None = None,
        tables: Sequence[str] | None = None,
        order_by: Sequence[str | Combinable] | None = None,
        select_params: Sequence[Any] | None = None,
    ) -> AsyncQuerySet[Any, Any]: ...
    def filter(self, *args: Any, **kwargs: Any) -> AsyncQuerySet[M_co]: ...
    def get_queryset(self) -> AsyncQuerySet[M_co]: ...
    def intersection(self, *other_qs: QuerySet[Model, Any]) -> AsyncQuerySet[M_co]: ...
    def none(self) -> AsyncQuerySet[M_co]: ...
    def only(self, *fields: str) -> AsyncQuerySet[M_co]: ...
    def order_by(self, *field_names: str | Combinable) -> AsyncQuerySet[M_co]: ...
    def prefetch_related(
        self, *lookups: str | Prefetch[Any, Any, Any] | None
    ) -> AsyncQuerySet[M_co]: ...
    def raw(
        self,
        raw_query: _ExecuteQuery,
        params: Iterable[Any] | Mapping[str, Any] = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> AsyncRawQuerySet[M_co]: ...
    def reverse(self) -> AsyncQuerySet[M_co]: ...
    def select_for_update(
        self,
        nowait: bool = False,
        skip_locked: bool = False,
        of: Sequence[str] = (),
        no_key: bool = False,
    ) -> AsyncQuerySet[M_co]: ...
    def select_related(self, *fields: str | None) -> AsyncQuerySet[M_co]: ...
    def union(
        self,
        *other_qs: QuerySet[Model, Any],
        all: bool = False,  # noqa: A002 -- Django's name
    ) -> AsyncQuerySet[M_co]: ...
    def using(self, alias: str | None) -> AsyncQuerySet[M_co]: ...
    def values(
        self, *fields: str | Combinable, **expressions: Any
    ) -> AsyncQuerySet[M_co, dict[str, Any]]: ...
    def values_list(
        self, *fields: str | Combinable, flat: bool = False, named: bool = False
    ) -> AsyncQuerySet[M_co, Any]: ...
