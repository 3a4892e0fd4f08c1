"""Make the function that turns a plan's rows into what its queryset's iterable would give."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

from django.db.models import Model
from django.db.models.query import ModelIterable

from ..source import NotExact
from .columns import Columns
from .instances import Instances
from .known import Known, KnownObjects
from .receivers import Watch
from .tree import make_tree
from .values import WRITERS, needs_fields, values_function

UNKNOWN: Any = object()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Hydrator:
    """Makes the objects of one plan's rows.

    Args:
        models: every model class of which it makes instances.
        pure: calling it can never query nor wait, as long as it is given no known objects; with
            some, ask ``pure_with``.
    """

    models: tuple[type[Model], ...]
    pure: bool
    _function: Callable[..., list[Any]]
    _watch: Watch
    _known: Known | None

    def __call__(
        self,
        rows: list[tuple[Any, ...]],
        db: str,
        known: KnownObjects,
        fetch_mode: Any,
        connection: Any,
    ) -> list[Any]:
        """Return what Django's iterable gives for these rows.

        Args:
            rows: as the driver fetched them.
            db: the alias from which they come.
            known: the queryset's ``_known_related_objects``.
            fetch_mode: the queryset's ``_fetch_mode``, anything before Django 6.1.
            connection: Django's, for converters.
        """
        objects = self._function(rows, db, connection, fetch_mode)
        if known and self._known is not None:
            self._known.attach(objects, known, db)
        return objects

    def pure_with(self, known: KnownObjects, db: str) -> bool:
        """Return whether it is pure when given these known objects.

        Args:
            known: the queryset's ``_known_related_objects``.
            db: the alias from which the rows come.
        """
        return self.pure and (not known or self._known is None or self._known.pure(known, db))

    def still_valid(self) -> bool:
        """Return whether no receivers of ``pre_init`` or ``post_init`` have come up since."""
        return self._watch.quiet()


def make_hydrator(
    compiler: Any,
    iterable_class: type,
    model: type[Model],
    fields: Sequence[str] | None = UNKNOWN,
) -> Hydrator | None:
    """Return a hydrator, or None where only Django's own iterable is exact.

    Args:
        compiler: has compiled its SQL.
        iterable_class: the queryset's.
        model: the queryset's.
        fields: the queryset's ``_fields``; without it the rows of some ``values_list()`` cannot
            be told from others.
    """
    try:
        if iterable_class is ModelIterable:
            return _make_instances(compiler, model)
        if iterable_class in WRITERS:
            return _make_values(compiler, iterable_class, fields)
    except NotExact:
        pass
    return None


def _make_instances(compiler: Any, model: type[Model]) -> Hydrator:
    columns, tree = Columns(compiler), make_tree(compiler)
    instances = Instances(columns, tree, compiler.annotation_col_map or {})
    return Hydrator(
        models=tuple({node.model: None for node in tree.walk()}),
        pure=instances.pure,
        _function=instances.function(),
        _watch=Watch(instances.plain),
        _known=Known(model, tree.names if tree.model is model and tree.plain else []),
    )


def _make_values(compiler: Any, iterable_class: type, fields: Any) -> Hydrator:
    columns = Columns(compiler)
    if fields is UNKNOWN and needs_fields(iterable_class):
        fields = _guess_fields(compiler.query)
    return Hydrator(
        models=(),
        pure=columns.pure,
        _function=values_function(columns, iterable_class, compiler.query, fields),
        _watch=Watch(()),
        _known=None,
    )


def _guess_fields(query: Any) -> Sequence[str]:
    if query.annotation_select or query.extra_select:
        raise NotExact("fields unknown")
    return cast("Sequence[str]", query.values_select)
