"""Related rows fetched by the plan of their shape, and handed out without a manager per object.

Django's own prefetching builds its query anew each time, and a manager and a filtered queryset for
each object. What it leaves behind is the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import F, ForeignObjectRel, Model, Prefetch

from . import relations

if TYPE_CHECKING:

    class Base:
        """Mypy's plugin for Django cannot cope with a subclass of ``Prefetch``."""

        prefetch_to: str
        queryset: Any

        def __init__(self, lookup: str, queryset: Any) -> None: ...

else:
    Base = Prefetch


class Gathered(Base):
    """A prefetch that the optimiser asked for; elsewhere it is simply one of Django's."""


def gather(instances: list[Any], lookups: Iterable[Any]) -> list[Any]:
    """Fetch what is related to rows that were just fetched.

    Args:
        instances: the rows.
        lookups: what the queryset is told to prefetch.

    Returns:
        The lookups that are left to Django.
    """
    return [
        lookup
        for lookup in lookups
        if type(lookup) is not Gathered or not _is_gathered(instances, lookup)
    ]


def _is_gathered(instances: list[Any], lookup: Gathered) -> bool:
    model, name = type(instances[0]), lookup.prefetch_to
    queryset: Any = lookup.queryset
    link = _link(model, name)
    record = getattr(queryset, "_record", None)
    if link is None or record is None:
        return False
    if record.node.sliced or record.node.wishes.spans:
        # Django has ways of its own with them: a window, and joins that its filter shares.
        return False
    if any(type(one) is not model or one.pk is None for one in instances):
        return False
    link.fetch(instances, queryset)
    return True


class Link:
    """How the rows of a relation to many find the object that they belong to.

    Args:
        query_name: by what the rows are filtered.
        core_filter: by what the related manager of one object filters them.
        key: the attribute of a row that tells its object's primary key.
        selected: whether that has to be selected beside the row's columns.
        cache_name: under what Django keeps the rows of an object.
        field: the foreign key of a row, if it has one.
    """

    __slots__ = ("cache_name", "core_filter", "field", "key", "query_name", "selected")

    def __init__(
        self, query_name: str, key: str, cache_name: str, *, selected: bool, field: Any, pk: str
    ) -> None:
        self.query_name = query_name
        self.core_filter = f"{query_name}__{pk}" if selected else field.name
        self.key = key
        self.selected = selected
        self.cache_name = cache_name
        self.field = field

    def fetch(self, instances: list[Any], queryset: Any) -> None:
        """Fetch the rows of all objects, and give each object its own.

        Args:
            instances: the objects, of one model.
            queryset: the rows, not filtered yet.
        """
        queryset._add_hints(instance=instances[0])
        rows = queryset.filter(**{f"{self.query_name}__in": [one.pk for one in instances]})
        if self.selected:
            rows = rows.annotate(**{self.key: F(self.query_name)})
        of: dict[Any, list[Any]] = defaultdict(list)
        for row in rows:
            of[getattr(row, self.key)].append(row)
        # As the related manager has it: a further filter shares its join with this one.
        queryset = queryset._clone()
        queryset._sticky_filter = self.selected
        for one in instances:
            self._give(one, of.get(one.pk, []), queryset)

    def _give(self, one: Any, rows: list[Any], queryset: Any) -> None:
        value = one.pk if self.selected else one
        own = queryset._deferred(queryset._record, "filter", (), {self.core_filter: value})
        own._result_cache = list(rows)
        own._prefetch_done = True
        if self.field is not None and not self.selected:
            for row in rows:
                if not self.field.is_cached(row):
                    self.field.set_cached_value(row, one)
        state = one.__dict__
        if "_prefetched_objects_cache" not in state:
            state["_prefetched_objects_cache"] = {}
        state["_prefetched_objects_cache"][self.cache_name] = own


def _link(model: type[Model], name: str) -> Link | None:
    """Return how a relation's rows are found, None if Django is to fetch them."""
    field = relations.attributes(model).get(name)
    if field is None or not field.is_relation or relations.is_generic(field):
        return None
    key = model._meta.pk
    if field.many_to_many:
        return _link_of_many(field, name, key)
    if not isinstance(field, ForeignObjectRel) or not field.one_to_many:
        return None
    own = field.field
    if own.foreign_related_fields != (key,):
        return None
    return Link(own.name, own.attname, name, selected=False, field=own, pk=key.name)


def _link_of_many(field: Any, name: str, key: Any) -> Link | None:
    backwards = isinstance(field, ForeignObjectRel)
    many = field.field if backwards else field
    source = many.m2m_reverse_field_name() if backwards else many.m2m_field_name()
    through = many.remote_field.through._meta.get_field(source)
    if through.foreign_related_fields != (key,) or many.remote_field.symmetrical:
        return None
    query_name = many.name if backwards else many.related_query_name()
    cache_name = many.related_query_name() if backwards else name
    selected = f"_prefetch_related_val_{through.attname}"
    return Link(query_name, selected, cache_name, selected=True, field=None, pk=key.name)
