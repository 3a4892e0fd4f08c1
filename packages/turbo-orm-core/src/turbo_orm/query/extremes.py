"""The earliest and the latest row, rows by key and by instance, by the plan of their shape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.db.models.query import ModelIterable

from ..bridge import in_bridge, run_sync
from ..plan import record as recording
from .planned import PlannedQuerySet


class ExtremesQuerySet(PlannedQuerySet):
    """Mixed into ``AsyncQuerySet``."""

    def _to_seek(self, fields: tuple[Any, ...], *, latest: bool) -> Any:
        """Return the recorded queryset of the earliest or latest row, None if Django must do it."""
        record = self._record
        if record is None or record.node.sliced:
            return None
        # Without fields the model says which; some tests change that.
        by = fields or (None, self.model._meta.get_latest_by)
        key = recording.shape_of_call("latest" if latest else "earliest", by, {})
        if key is None:
            return None
        step = recording.latest if latest else recording.earliest
        return self._take_step(record, key, [], step=step, payload=fields)

    def earliest(self, *fields: Any) -> Any:
        """Return the row with the smallest values; see Django's method."""
        one = self._to_seek(fields, latest=False) if self._may_plan("earliest") else None
        if one is None:
            return super().earliest(*fields)
        one._fetch_all()
        return one._the_one()

    def latest(self, *fields: Any) -> Any:
        """Return the row with the greatest values; see Django's method."""
        one = self._to_seek(fields, latest=True) if self._may_plan("latest") else None
        if one is None:
            return super().latest(*fields)
        one._fetch_all()
        return one._the_one()

    async def aearliest(self, *fields: Any) -> Any:
        """Return the row with the smallest values; see Django's method."""
        own = self._leaves("earliest") and not in_bridge()
        one = self._to_seek(fields, latest=False) if own else None
        if one is None:
            return await run_sync(self.earliest, *fields)
        await one._afetch_all()
        return one._the_one()

    async def alatest(self, *fields: Any) -> Any:
        """Return the row with the greatest values; see Django's method."""
        own = self._leaves("latest") and not in_bridge()
        one = self._to_seek(fields, latest=True) if own else None
        if one is None:
            return await run_sync(self.latest, *fields)
        await one._afetch_all()
        return one._the_one()

    def contains(self, obj: Any) -> Any:
        """Return whether an instance is among the rows; see Django's method."""
        if not self._may_plan("contains"):
            return super().contains(obj)
        return super(ExtremesQuerySet, self._told(combinator=None)).contains(obj)

    def in_bulk(self, id_list: Any = None, *, field_name: str = "pk") -> Any:
        """Return rows by key; see Django's method."""
        if self._iterable_class is not ModelIterable or not self._may_plan("in_bulk"):
            return super().in_bulk(id_list, field_name=field_name)
        record = self._record
        told = self._told(
            is_sliced=record.node.sliced,
            distinct_fields=record.node.distinct_fields,
            selected=None,
            extra_select=(),
            values_select=(),
            annotation_select=(),
        )
        return super(ExtremesQuerySet, told).in_bulk(id_list, field_name=field_name)

    def _told(self, **facts: Any) -> Any:
        """Return what this queryset is, with a query that knows only what Django's method asks."""
        told = self._twin()
        told.__dict__["glimpse"] = SimpleNamespace(**facts)
        return told
