"""Tell a queryset what to fetch, or fetch it for objects that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet, prefetch_related_objects
from django.db.models.constants import LOOKUP_SEP
from django.db.models.query import ModelIterable

from ...plan.wishes import Wishes
from .gather import Gathered
from .needs import Need, need_of

Q = TypeVar("Q", bound="QuerySet[Any, Any]")


def optimize(queryset: Q, paths: Iterable[str]) -> Q:
    """Let a queryset fetch along what will be read of its rows.

    Args:
        queryset: of Turbo ORM or of Django.
        paths: the attributes that will be read, with dots between those of related objects:
            ``"title"``, ``"author.name"``, ``"tags.name"``. A relation without more behind it
            stands for whole objects. What is no field of the model, such as a property, may read
            anything of it: then no column is left out there.

    Returns:
        The queryset with the ``select_related()``, ``prefetch_related()`` and ``only()`` that the
        paths need: as many queries as there are relations to many, however many rows. What the
        queryset was told already stays: one with calls of its own to these methods is only told to
        prefetch what it lacks, and ``values()``, ``union()`` and rows that were fetched before are
        left as they are. Nothing is queried here.
    """
    anything: Any = queryset
    if anything._fields is not None or anything._result_cache is not None:
        return queryset
    wishes = _wishes(anything)
    if wishes.combined:
        return queryset
    wanted = frozenset(paths)
    if not wanted:
        return queryset
    if wishes.annotations:
        wanted = frozenset(
            path for path in wanted if path.partition(".")[0] not in wishes.annotations
        )
    fitted: Q = _fit(anything, need_of(anything.model, wanted), wishes)
    return fitted


def prefetch(instances: Sequence[Model], paths: Iterable[str]) -> None:
    """Fetch what will be read of objects that are there already, in the bridge.

    Args:
        instances: saved objects of one model.
        paths: as for ``optimize``.

    Raises:
        DatabaseError: the database refused a query.

    What they have already is not fetched again. For a single object only that is fetched which
    would be asked for once per row of something related to it: the rest costs as many queries when
    it is read.
    """
    if not instances:
        return
    need = need_of(type(instances[0]), frozenset(paths))
    lookups = list(need.repeated() if len(instances) == 1 else need.lookups())
    if lookups:
        prefetch_related_objects(instances, *lookups)


def _wishes(queryset: Any) -> Wishes:
    record = getattr(queryset, "_record", None)
    if record is not None:
        found: Wishes = record.node.wishes
        return found
    return Wishes.of(queryset.query)


def _fit(queryset: Any, need: Need, wishes: Wishes) -> Any:
    if wishes.joins or wishes.defers or wishes.locks or queryset._prefetch_related_lookups:
        return _fill(queryset, need, wishes)
    if need.ones:
        queryset = queryset.select_related(*need.joined())
    if need.narrow and queryset._iterable_class is ModelIterable:
        queryset = queryset.only(*need.loaded())
    gathered = [_gathered(lookup, inner) for lookup, inner in need.gathered()]
    return queryset.prefetch_related(*gathered) if gathered else queryset


def _gathered(lookup: str, need: Need | None) -> str | Gathered:
    if need is None:
        return lookup
    # The managers that Django itself asks for related objects.
    manager = need.model._base_manager if need.single else need.model._default_manager
    rows: Any = manager.all()
    return Gathered(lookup, _fit(rows, need, _wishes(rows)))


def _fill(queryset: Any, need: Need, wishes: Wishes) -> Any:
    """Prefetch what is missing, by its plain name: that never contradicts what was said before."""
    lookups = [
        lookup
        for lookup in need.lookups()
        if (name := lookup.partition(LOOKUP_SEP)[0]) in need.many or _has(need, wishes, name)
    ]
    return queryset.prefetch_related(*lookups) if lookups else queryset


def _has(need: Need, wishes: Wishes, name: str) -> bool:
    """Tell whether the rows will have the key of a related object: else each would be asked."""
    key = need.model._meta.get_field(name) if _is_own(need, name) else None
    return key is None or wishes.fetches(name)


def _is_own(need: Need, name: str) -> bool:
    return any(field.name == name for field in need.model._meta.concrete_fields)
