"""UPDATE and DELETE of a recorded queryset, executed by the plan of its shape."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models.deletion import Collector

from ..bridge import in_bridge, run_sync
from ..plan import run
from ..plan.execute import may_execute_directly
from ..plan.terminals import DELETE, Terminal, update, update_fields
from .extremes import ExtremesQuerySet


class WrittenQuerySet(ExtremesQuerySet):
    """Mixed into ``AsyncQuerySet``."""

    def _to_update(self, terminal: Terminal | None) -> Terminal | None:
        """Return an update that a plan may do, None if Django must do it."""
        record = self._record
        if record is None or terminal is None or record.node.sliced or record.node.distinct_fields:
            return None
        return terminal

    def update(self, **kwargs: Any) -> Any:
        """Change all rows, and return how many; see Django's method."""
        terminal = self._to_update(update(kwargs)) if self._may_plan("update") else None
        if terminal is None:
            return super().update(**kwargs)
        self._for_write = True
        with transaction.mark_for_rollback_on_error(using=self.db):
            function = _updating(kwargs)
            changed = run.conclude_in_bridge(self, terminal, function)
        self._result_cache = None
        return changed

    async def aupdate(self, **kwargs: Any) -> Any:
        """Change all rows, and return how many; see Django's method."""
        own = self._leaves("update") and not in_bridge()
        terminal = self._to_update(update(kwargs)) if own else None
        if terminal is not None:
            self._for_write = True
        if terminal is None or not may_execute_directly(self.db):
            return await run_sync(self.update, **kwargs)
        function = _updating(kwargs)
        changed = await run.conclude(self, terminal, function)
        self._result_cache = None
        return changed

    def _update(self, values: Any, *returning: Any) -> Any:
        # Since Django 6.0 it is told which values to give back: then it returns rows.
        terminal = None
        if not any(returning) and self._may_plan("_update"):
            terminal = self._to_update(update_fields(values))
        if terminal is None:
            return super()._update(values, *returning)

        def function(plain: Any) -> Any:
            found = super()._update(values, *returning)
            return found if isinstance(found, int) else len(found)

        changed = run.conclude_in_bridge(self, terminal, function)
        return [()] * changed if returning and returning[0] is not None else changed

    async def adelete(self) -> Any:
        """Delete all rows with what depends on them; see Django's method."""
        target = None if in_bridge() else self._to_delete_at_once()
        if target is None:
            return await run_sync(self.delete)
        deleted = await run.attempt(target, DELETE)
        if deleted is None:
            return await run_sync(self.delete)
        self._result_cache = None
        return deleted, ({self.model._meta.label: deleted} if deleted else {})

    def _to_delete_at_once(self) -> Any:
        """Return what Django would delete by a single statement, which nobody hears of, or None."""
        record = self._record
        if record is None or record.node.sliced or record.node.distinct_fields:
            return None
        if self._fields is not None or not self._leaves("delete"):
            return None
        target = self._chain()
        target._for_write = True
        alias = target.db
        # Who observes statements sees Django's transaction around it.
        at_once = may_execute_directly(alias) and _is_fast(self.model, alias)
        return target if at_once and target._record is not None else None


def _updating(values: dict[str, Any]) -> Callable[[Any], Any]:
    def update(plain: Any) -> Any:
        return super(WrittenQuerySet, plain).update(**values)

    return update


def _is_fast(model: Any, alias: str) -> bool:
    collector: Any = Collector(using=alias, origin=None)
    # Django asks a queryset only for its model.
    return bool(collector.can_fast_delete(SimpleNamespace(model=model, _raw_delete=None)))
