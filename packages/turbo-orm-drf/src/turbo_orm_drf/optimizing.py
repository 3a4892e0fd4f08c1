"""A mixin for generic views: their rows are fetched along with what the serializer will read."""

from __future__ import annotations

import functools
import logging
from typing import Any

from django.db.models import Manager, QuerySet
from rest_framework import pagination, serializers

from turbo_orm.query import optimize

from .learning import DECIDING, may_leave_columns, paths_of_class, runs_drfs, why_unknown
from .links import Kind, link
from .peers import peers
from .quiet import undescribed
from .shapes import ANYTHING, is_drfs, paths_of

logger = logging.getLogger("turbo_orm_drf")


@undescribed
class AutoOptimizeMixin:
    """Fetches what the serializer reads of all rows at once, instead of row by row.

    Put it before a generic view or viewset among the bases. However many rows there are, there are
    as many statements as the serializer has relations, and never more than DRF makes without it.
    What the queryset asks for itself stays. A serializer's own methods may read anything, unless
    they say what with ``reads``.

    Where DRF's own ``list`` and ``retrieve`` answer with fields that DRF makes, all that is known
    before the rows are fetched: relations to one are joined, and columns that nobody reads left
    out. Elsewhere the serializer that the view makes fetches each relation for all of its rows when
    it first reads it. No method of the project's is called for it that DRF does not call.
    """

    # False leaves the rows of a view as they are.
    optimizes_queryset = True
    # The page whose rows have all that is read of them.
    _complete: Any = None

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return the rows of the page, None if there are to be no pages.

        Args:
            queryset: a queryset, or whatever the paginator takes.

        Mirrors ``GenericAPIView.paginate_queryset``.
        """
        view: Any = self
        inherited: Any = super()
        if view.paginator is None:
            return inherited.paginate_queryset(queryset)
        optimised = self.optimize_queryset(queryset)
        page = inherited.paginate_queryset(optimised)
        # Where it is known what is read, nothing is left for the serializer to fetch.
        self._complete = None if optimised is queryset else page
        return page

    def get_object(self) -> Any:
        """Return the object that the view is about.

        Mirrors ``GenericAPIView.get_object``.
        """
        inherited: Any = super()
        if not self.optimizes_queryset or not runs_drfs(self, "retrieve"):
            return inherited.get_object()
        self._is_retrieving = True
        try:
            return inherited.get_object()
        finally:
            self._is_retrieving = False

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the filtered queryset; that of a single object joins what will be read of it.

        Args:
            queryset: a queryset, or whatever the filter backends take.

        Mirrors ``GenericAPIView.filter_queryset``.
        """
        inherited: Any = super()
        queryset = inherited.filter_queryset(queryset)
        if not vars(self).get("_is_retrieving"):
            return queryset
        self._is_retrieving = False
        return self.optimize_queryset(queryset)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Return the serializer of the request; it fetches relations for all of its rows at once.

        Args:
            *args: as for the serializer.
            **kwargs: as for the serializer.

        Mirrors ``GenericAPIView.get_serializer``.
        """
        inherited: Any = super()
        serializer = inherited.get_serializer(*args, **kwargs)
        if self.optimizes_queryset and isinstance(serializer, serializers.BaseSerializer):
            represent = functools.partial(_represent, self, serializer)
            serializer.to_representation = functools.partial(
                represent, serializer.to_representation
            )
        return serializer

    def optimize_queryset(self, queryset: Any) -> Any:
        """Return a queryset that fetches along what will be read of its rows.

        Args:
            queryset: not evaluated yet; anything else is returned as it is.

        DRF's own actions are optimised already. Call it in an action of your own whose rows go to
        the serializer and nowhere else.
        """
        if not self.optimizes_queryset or not isinstance(queryset, QuerySet):
            return queryset
        return optimize(queryset, self.paths_to_fetch(queryset))

    def paths_to_fetch(self, queryset: Any) -> frozenset[str]:
        """Return the attributes that will be read of the rows; ``"*"`` stands for any other.

        Args:
            queryset: the rows.

        Override it to add what no serializer knows of.
        """
        view: Any = self
        for action in ("list", "retrieve"):
            if runs_drfs(view, action):
                return _paths(view, action, queryset)
        return frozenset({ANYTHING})


def _paths(view: Any, action: str, queryset: Any) -> frozenset[str]:
    try:
        reason, paths = why_unknown(view, action), None
        if reason is None:
            paths = paths_of_class(view.get_serializer_class(), queryset.model)
            reason = "the serializer's fields are made by code of its own"
    except Exception:
        logger.debug("What %r reads is not known.", type(view), exc_info=True)
        return frozenset({ANYTHING})
    if paths is None:
        logger.debug("What %r reads is not known before its rows: %s.", type(view), reason)
        return frozenset({ANYTHING})
    if action == "retrieve":
        # Permissions look at the object, and may refuse it: nothing more is asked for it.
        return frozenset(_to_one(queryset.model, path) for path in paths) | {ANYTHING}
    return paths | _ordering(view, queryset) if may_leave_columns(view) else paths | {ANYTHING}


def _to_one(model: Any, path: str) -> str:
    """Return as much of a path as leads through relations to one."""
    names = path.split(".")
    for position, name in enumerate(names):
        found = link(model, name)
        if found.kind in (Kind.MANY, Kind.ALONE) or (found.kind is Kind.OTHER and name != ANYTHING):
            return ".".join([*names[:position], ANYTHING])
        model = found.model
    return path


def _ordering(view: Any, queryset: Any) -> frozenset[str]:
    """Return what a cursor is made of."""
    paginator = view.paginator
    if not isinstance(paginator, pagination.CursorPagination):
        return frozenset()
    names = paginator.get_ordering(view.request, queryset, view)
    return frozenset(name.lstrip("-").replace("__", ".") for name in names)


def _represent(view: Any, serializer: Any, represent: Any, data: Any) -> Any:
    """Represent rows, or one object, whose relations are fetched together."""
    is_many = isinstance(serializer, serializers.ListSerializer)
    if not is_many:
        with peers(serializer, [data]):
            return represent(data)
    if not is_drfs(serializer, "to_representation"):
        logger.debug("%r represents its rows itself.", type(serializer))
        return represent(data)
    rows = data.all() if isinstance(data, Manager) else data
    if isinstance(rows, QuerySet):
        rows = _fetched(view, serializer.child, rows)
    if type(rows) is not list or rows is view._complete:
        return represent(data)
    with peers(serializer.child, rows):
        return represent(rows)


def _fetched(view: Any, child: Any, queryset: Any) -> list[Any]:
    """Fetch the rows of a queryset, and keep them there."""
    if queryset._result_cache is None and runs_drfs(view, "list"):
        optimised = optimize(queryset, _paths_of_child(view, child, queryset))
        if optimised is not queryset:
            queryset._result_cache = list(optimised)
            queryset._prefetch_done = True
    return list(queryset)


def _paths_of_child(view: Any, child: Any, queryset: Any) -> frozenset[str]:
    """Return what the serializer of each row reads."""
    if not is_drfs(child, *DECIDING):
        # Whether there are rows is not known yet: without any, DRF makes no fields.
        return frozenset({ANYTHING})
    try:
        paths = paths_of(child, queryset.model)
        added = view.paths_to_fetch(queryset) if not is_drfs(view, "paths_to_fetch") else ()
        return paths.union(added, () if may_leave_columns(view) else {ANYTHING})
    except Exception:
        logger.debug("What %r reads is not known.", type(child), exc_info=True)
        return frozenset({ANYTHING})
