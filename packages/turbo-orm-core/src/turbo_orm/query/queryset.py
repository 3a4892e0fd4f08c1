"""Django's QuerySet with every terminal method awaited in the bridge."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from django.db.models import Model, QuerySet

from ..leases.stream import stream_rows
from ..plan.originals import remember
from .awaited import with_awaited
from .raw import AsyncRawQuerySet

if TYPE_CHECKING:
    from django.db.backends.utils import _ExecuteQuery
    from typing_extensions import TypeVar

    from ._typing import TypedQuerySet

    class WrittenQuerySet:
        """To type checkers the public class is as ``_typing`` says."""

        async def _afetch_all(self) -> None: ...

    from .manager import AsyncManager

    # The model, and what a row is: the model too, unless values() or one of its kin was called.
    M_co = TypeVar("M_co", bound=Model, covariant=True)
    R_co = TypeVar("R_co", covariant=True, default=M_co)
else:
    from .written import WrittenQuerySet

    # Django's class takes parameters at run time too, and ignores them.
    TypedQuerySet, M_co, R_co = QuerySet, Any, Any

BRIDGED = (
    "abulk_create",
    "abulk_update",
    "acontains",
    "acreate",
    "aexplain",
    "aget_or_create",
    "ain_bulk",
    "aupdate_or_create",
)
# Those that need no bridge where a plan is known.
PLANNED = (
    *("aaggregate", "acount", "adelete", "aearliest", "aexists", "afirst", "aget", "alast"),
    *("alatest", "aupdate"),
)
TERMINALS = (*BRIDGED, *PLANNED)


@with_awaited(BRIDGED)
class AsyncQuerySet(WrittenQuerySet, TypedQuerySet[M_co, R_co]):
    """A lazy database query; every ``a*`` method waits on the event loop, in no thread.

    Mirrors ``django.db.models.QuerySet``, of which it is a subclass: everything else of a queryset
    is Django's, and where no event loop runs it works synchronously as usual.
    """

    # Pickles, and migrations of ``as_manager()``, name the class by this path.
    __module__ = "turbo_orm.models"

    if TYPE_CHECKING:
        # The plugin of django-stubs looks the return type up where a subclass is defined: a name
        # that is found there, and free of type variables.
        _Manager: TypeAlias = AsyncManager[Any]

        @classmethod
        def as_manager(cls) -> AsyncQuerySet._Manager: ...  # noqa: D102 -- defined in manager.py

    async def alist(self) -> list[R_co]:
        """Return all rows as a list; fetches once and caches like iteration does.

        Returns:
            Model instances, or what ``values()`` and its kin make of each row.

        Raises:
            DatabaseError: the database refused the query.

        The awaitable form of ``list(queryset)``.
        """
        await self._afetch_all()
        return list(cast("list[R_co]", self._result_cache))

    def __aiter__(self) -> AsyncIterator[R_co]:
        async def generator() -> AsyncGenerator[R_co, None]:
            await self._afetch_all()
            for item in cast("list[R_co]", self._result_cache):
                yield item

        return generator()

    async def aiterator(self, chunk_size: int = 2000) -> AsyncGenerator[R_co, None]:
        """Stream the rows from a server-side cursor, without keeping them.

        Args:
            chunk_size: rows fetched, and prefetched for, at a time.

        Returns:
            An asynchronous generator. It holds one connection from the first row until it is
            exhausted, closed (``contextlib.aclosing``) or dropped.

        Raises:
            ValueError: the chunk size is not positive.
            DatabaseError: the database refused the query.

        Mirrors ``QuerySet.aiterator``.
        """
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        rows = stream_rows(self.db, lambda: iter(self.iterator(chunk_size)), chunk_size)
        try:
            async for row in rows:
                yield row
        finally:
            await rows.aclose()

    def raw(
        self,
        raw_query: _ExecuteQuery,
        params: Iterable[Any] | Mapping[str, Any] = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> AsyncRawQuerySet[M_co]:
        """Return the model instances of a raw SQL query, lazily: ``async for`` or ``alist()``.

        Args:
            raw_query: SQL with placeholders.
            params: their values.
            translations: column names to field names.
            using: the database alias.

        Mirrors ``QuerySet.raw``.
        """
        plain: Any = super().raw(raw_query, params, translations, using)
        return AsyncRawQuerySet.of(plain)

    async def araw(
        self,
        raw_query: _ExecuteQuery,
        params: Iterable[Any] | Mapping[str, Any] = (),
        translations: Mapping[str, str] | None = None,
        using: str | None = None,
    ) -> list[M_co]:
        """Return the model instances of a raw SQL query as a list.

        Args:
            raw_query: SQL with placeholders.
            params: their values.
            translations: column names to field names.
            using: the database alias.

        Raises:
            DatabaseError: the database refused the query.

        The awaitable form of ``list(queryset.raw(...))``.
        """
        return await self.raw(raw_query, params, translations, using).alist()

    if not TYPE_CHECKING:  # the stubs say it already, with the type of each row

        def __or__(self, other: QuerySet) -> AsyncQuerySet:
            return _awaitable(super().__or__(other))

        def __xor__(self, other: QuerySet) -> AsyncQuerySet:
            return _awaitable(super().__xor__(other))


def _awaitable(made: Any) -> Any:
    """Return a queryset that Django may have made by the model's base manager, which is plain.

    It does so where it combines a slice with another queryset.
    """
    if type(made) is not QuerySet:
        return made
    plain: Any = made
    ours: Any = AsyncQuerySet(plain.model, plain.query, plain._db, plain._hints)
    ours._known_related_objects = plain._known_related_objects
    return ours


for _class in AsyncQuerySet.__mro__[: AsyncQuerySet.__mro__.index(QuerySet)]:
    for _name, _method in vars(_class).items():
        _djangos = getattr(QuerySet, _name, None)
        if isinstance(_method, FunctionType) and isinstance(_djangos, FunctionType):
            # Django's own words and marks: they are its methods.
            _method.__doc__ = _djangos.__doc__ or _method.__doc__
            vars(_method).update({**vars(_djangos), **vars(_method)})

# On a manager too, where Django hides delete() lest somebody empties a table by accident: the seed
# package has it there, and its users' code must run.
AsyncQuerySet.adelete.queryset_only = False  # type: ignore[attr-defined]
remember(AsyncQuerySet)
