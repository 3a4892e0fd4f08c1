"""Raw SQL queries, awaited."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from django.db.models import Model
from django.db.models.query import RawQuerySet

from ..bridge import run_sync

M_co = TypeVar("M_co", bound=Model, covariant=True)

if TYPE_CHECKING:
    _Base = RawQuerySet
else:

    class _Base(RawQuerySet, Generic[M_co]):
        """Django's class is generic for type checkers only."""


class AsyncRawQuerySet(_Base[M_co]):
    """The model instances of a raw SQL query; mirrors ``RawQuerySet``."""

    __module__ = "turbo_orm.models"

    @classmethod
    def of(cls, plain: RawQuerySet[M_co]) -> AsyncRawQuerySet[M_co]:
        """Return the same query as an instance of this class."""
        own: AsyncRawQuerySet[M_co] = cls.__new__(cls)
        # All of its state, whatever this version of Django keeps: prefetches, the fetch mode.
        own.__dict__.update(plain.__dict__)
        return own

    async def alist(self) -> list[M_co]:
        """Return all rows as model instances; fetches once and caches.

        Raises:
            DatabaseError: the database refused the query.

        The awaitable form of ``list(raw_queryset)``.
        """
        await run_sync(self._fetch_all)  # type: ignore[attr-defined]
        return list(cast("list[M_co]", self._result_cache))  # type: ignore[attr-defined]

    def __aiter__(self) -> AsyncIterator[M_co]:
        async def generator() -> AsyncGenerator[M_co, None]:
            for item in await self.alist():
                yield item

        return generator()

    def using(self, alias: str | None) -> AsyncRawQuerySet[M_co]:
        """Return the same query against another database; mirrors ``RawQuerySet.using``."""
        return self.of(super().using(alias))
