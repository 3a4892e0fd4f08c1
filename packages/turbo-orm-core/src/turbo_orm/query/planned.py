"""The terminal methods of a recorded queryset, executed by the plan of its shape."""

from __future__ import annotations

import functools
from typing import Any

import django
from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import prefetch_related_objects

from ..bridge import in_bridge, run_sync
from ..plan import run
from ..plan.guards import Guard, guard
from ..plan.skipped import SKIPPED
from ..plan.terminals import COUNT, EXISTS, aggregation
from .optimizer.gather import gather
from .recorded import RecordedQuerySet

# How many rows Django's `get()` fetches to tell in its message how many there are.
GET_MAX = 21
FILTER = RecordedQuerySet.filter
# Since then `first()` heeds that an order was taken away on purpose.
HEEDS_NO_ORDER = django.VERSION >= (6, 1)
# Each method that ends a chain, and what it does itself of what Django's calls on the queryset.
METHODS = {
    method: (method, *parts)
    for method, parts in {
        "_fetch_all": (),
        "_update": (),
        "aggregate": (),
        "contains": (),
        "count": (),
        "delete": ("_raw_delete",),
        "earliest": ("__iter__", "__len__", "_earliest", "get", "reverse"),
        "exists": (),
        "first": ("__getitem__", "__iter__", "ordered"),
        "get": ("__iter__", "__len__", "order_by"),
        "in_bulk": (),
        "last": ("__getitem__", "__iter__", "ordered"),
        "latest": ("__iter__", "__len__", "_earliest", "get", "reverse"),
        "update": (),
    }.items()
}


@functools.cache
def _guard_of(cls: type, method: str, names: tuple[str, ...]) -> Guard:
    return guard(*SKIPPED[method], (cls, names))


class PlannedQuerySet(RecordedQuerySet):
    """Mixed into ``AsyncQuerySet``."""

    def _fetch_all(self) -> None:
        if self._result_cache is None and self._may_plan("_fetch_all"):
            self._result_cache = run.fetch_in_bridge(self)
        super()._fetch_all()

    async def _afetch_all(self) -> None:
        """Fetch the rows and what is to be prefetched, unless that was done before."""
        if self._result_cache is None:
            if self._record is None or in_bridge() or not self._leaves("_fetch_all"):
                return await run_sync(self._fetch_all)
            self._result_cache = await run.fetch(self)
        if self._prefetch_related_lookups and not self._prefetch_done:
            await run_sync(self._fetch_all)
        return None

    def _prefetch_related_objects(self) -> None:
        lookups = self._prefetch_related_lookups
        left = gather(self._result_cache, lookups) if self._result_cache else lookups
        if len(left) == len(lookups):
            super()._prefetch_related_objects()
            return
        if left:
            prefetch_related_objects(self._result_cache, *left)
        self._prefetch_done = True

    def _leaves(self, method: str) -> bool:
        """Tell whether a method is Django's and ours alone, with what it calls on the queryset.

        The class may override them, Django's or ours may have been replaced, and a queryset may
        have methods of its own: django-money puts some there.
        """
        return self._has_djangos(method, METHODS[method])

    def _may_plan(self, method: str) -> bool:
        """Tell whether a method that was called in the bridge may be done by a plan.

        Whoever overrides the method has called ours.
        """
        if self._record is None or not in_bridge():
            return False
        return self._has_djangos(method, METHODS[method][1:])

    def _has_djangos(self, method: str, names: tuple[str, ...]) -> bool:
        """Tell whether these names, and what the method skips, are replaced nowhere."""
        return _guard_of(type(self), method, names)() and self.__dict__.keys().isdisjoint(names)

    def _to_get(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the recorded queryset that ``get()`` fetches, None if Django must do it."""
        record = self._record
        if record is None or record.node.sliced or not self._cloning_enabled:
            return None
        if not self._records("filter"):
            return None
        if type(self).filter is FILTER and "filter" not in self.__dict__:
            # What it would do, now that nothing of it is replaced.
            clone: Any = self._condition("filter", args, kwargs)
        else:
            clone = self.filter(*args, **kwargs)
        if clone._record is None:
            return None
        unordered = not record.node.distinct_fields
        if unordered and "order_by" in clone.__dict__:
            return clone.order_by()._limited(GET_MAX)
        return clone._alone(GET_MAX, unordered=unordered)

    def _the_one(self) -> Any:
        found = self._result_cache
        if len(found) == 1:
            return found[0]
        name = self.model._meta.object_name
        if not found:
            raise self.model.DoesNotExist(f"{name} matching query does not exist.")
        count = len(found) if len(found) < GET_MAX else f"more than {GET_MAX - 1}"
        raise self.model.MultipleObjectsReturned(
            f"get() returned more than one {name} -- it returned {count}!"
        )

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the only object that matches; see Django's method."""
        clone = self._to_get(args, kwargs) if self._may_plan("get") else None
        if clone is None:
            return super().get(*args, **kwargs)
        clone._fetch_all()
        return clone._the_one()

    async def aget(self, *args: Any, **kwargs: Any) -> Any:
        """Return the only object that matches; see Django's method."""
        own = self._leaves("get") and not in_bridge()
        try:
            clone = self._to_get(args, kwargs) if own else None
        except SynchronousOnlyOperation:
            # A condition that asks the database as it is written: a lazy user, a content type.
            clone = None
        if clone is None:
            return await run_sync(self.get, *args, **kwargs)
        await clone._afetch_all()
        return clone._the_one()

    def _to_take(self, *, last: bool) -> Any:
        """Return the recorded queryset that ``first()`` or ``last()`` fetches, or None."""
        record = self._record
        if record is None or record.node.sliced or self._result_cache is not None:
            return None
        node = record.node
        queryset: Any = self
        if node.ordered or (HEEDS_NO_ORDER and not node.first_by_pk):
            queryset = self.reverse() if last else self
        elif node.grouped:
            return None
        else:
            queryset = self.order_by("-pk" if last else "pk")
        return None if queryset._record is None else queryset._limited(1)

    def first(self) -> Any:
        """Return the first object, None if there is none; see Django's method."""
        return self._taken(last=False) if self._may_plan("first") else super().first()

    def last(self) -> Any:
        """Return the last object, None if there is none; see Django's method."""
        return self._taken(last=True) if self._may_plan("last") else super().last()

    def _taken(self, *, last: bool) -> Any:
        one = self._to_take(last=last)
        if one is None:
            return super().last() if last else super().first()
        one._fetch_all()
        return next(iter(one._result_cache), None)

    async def afirst(self) -> Any:
        """Return the first object, None if there is none; see Django's method."""
        own = self._leaves("first") and not in_bridge()
        one = self._to_take(last=False) if own else None
        if one is None:
            return await run_sync(self.first)
        await one._afetch_all()
        return next(iter(one._result_cache), None)

    async def alast(self) -> Any:
        """Return the last object, None if there is none; see Django's method."""
        own = self._leaves("last") and not in_bridge()
        one = self._to_take(last=True) if own else None
        if one is None:
            return await run_sync(self.last)
        await one._afetch_all()
        return next(iter(one._result_cache), None)

    def count(self) -> Any:
        """Return the number of rows; see Django's method."""
        if self._result_cache is not None or not self._may_plan("count"):
            return super().count()
        return run.conclude_in_bridge(self, COUNT, _count)

    async def acount(self) -> Any:
        """Return the number of rows; see Django's method."""
        own = self._leaves("count") and not in_bridge()
        if not own or self._result_cache is not None or self._record is None:
            return await run_sync(self.count)
        return await run.conclude(self, COUNT, _count)

    def exists(self) -> Any:
        """Return whether there is a row; see Django's method."""
        if self._result_cache is not None or not self._may_plan("exists"):
            return super().exists()
        return run.conclude_in_bridge(self, EXISTS, _exists)

    async def aexists(self) -> Any:
        """Return whether there is a row; see Django's method."""
        own = self._leaves("exists") and not in_bridge()
        if not own or self._result_cache is not None or self._record is None:
            return await run_sync(self.exists)
        return await run.conclude(self, EXISTS, _exists)

    def aggregate(self, *args: Any, **kwargs: Any) -> Any:
        """Return aggregate values of the rows; see Django's method."""
        terminal = aggregation(args, kwargs) if self._may_plan("aggregate") else None
        if terminal is None:
            return super().aggregate(*args, **kwargs)

        def function(plain: Any) -> Any:
            return super().aggregate(*args, **kwargs)

        return run.conclude_in_bridge(self, terminal, function)

    async def aaggregate(self, *args: Any, **kwargs: Any) -> Any:
        """Return aggregate values of the rows; see Django's method."""
        own = self._leaves("aggregate") and not in_bridge()
        record = self._record
        terminal = aggregation(args, kwargs) if own and record is not None else None
        if record is None or terminal is None:
            return await run_sync(self.aggregate, *args, **kwargs)

        def function(plain: Any) -> Any:
            return super().aggregate(*args, **kwargs)

        return await run.conclude(self, terminal, function)


def _count(plain: Any) -> Any:
    return super(PlannedQuerySet, plain).count()


def _exists(plain: Any) -> Any:
    return super(PlannedQuerySet, plain).exists()
