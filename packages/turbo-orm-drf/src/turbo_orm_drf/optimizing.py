"""A mixin for generic views: their querysets fetch along what the serializer will read."""

from __future__ import annotations

import functools
from typing import Any

from django.db.models import QuerySet
from rest_framework import pagination

from turbo_orm.query import optimize

from .quiet import undescribed
from .shapes import ANYTHING, is_the_classes, paths_of


@undescribed
class AutoOptimizeMixin:
    """Adds ``select_related``, ``prefetch_related`` and ``only`` as the serializer needs them.

    Put it before a generic view or viewset among the bases. However many rows there are, there are
    as many statements as the serializer has relations to many. What the queryset asks for itself
    stays. A serializer's own methods may read anything, unless they say what with ``reads``.
    """

    # False leaves the querysets of a view as they are.
    optimizes_queryset = True

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the filtered queryset, which fetches along what will be read.

        Args:
            queryset: a queryset, or whatever the filter backends take.

        Mirrors ``GenericAPIView.filter_queryset``.
        """
        view: Any = self
        inherited: Any = super()
        queryset = inherited.filter_queryset(queryset)
        if not self.optimizes_queryset or not isinstance(queryset, QuerySet):
            return queryset
        return optimize(queryset, self.paths_to_fetch(queryset) if _has_output(view) else ())

    def paths_to_fetch(self, queryset: Any) -> frozenset[str]:
        """Return the attributes that will be read of the rows.

        Args:
            queryset: the rows.

        Override it to add what no serializer knows of.
        """
        view: Any = self
        paths = _paths(view)
        if (view.lookup_url_kwarg or view.lookup_field) in view.kwargs:
            # Permissions look at a single object, and so does whatever saves it.
            return paths | {ANYTHING}
        return paths | _ordering(view, queryset)


def _has_output(view: Any) -> bool:
    return view.serializer_class is not None or _overrides(view, "get_serializer_class")


def _overrides(view: Any, name: str) -> bool:
    return not str(getattr(type(view), name).__module__).startswith("rest_framework.")


def _paths(view: Any) -> frozenset[str]:
    kind = view.get_serializer_class()
    if is_the_classes(kind) and not _overrides(view, "get_serializer"):
        return _paths_of_class(kind)
    return paths_of(view.get_serializer())


@functools.lru_cache(maxsize=512)
def _paths_of_class(kind: Any) -> frozenset[str]:
    return paths_of(kind())


def _ordering(view: Any, queryset: Any) -> frozenset[str]:
    """Return what a cursor is made of."""
    paginator = view.paginator
    if not isinstance(paginator, pagination.CursorPagination):
        return frozenset()
    names = paginator.get_ordering(view.request, queryset, view)
    return frozenset(name.lstrip("-").replace("__", ".") for name in names)
