"""Relations fetched for all rows at once when the serializer reads that of the first.

DRF's fields read their attributes of one object at a time. While the objects are represented, the
fields that read a relation say so beforehand: then it is fetched for all objects of their level.
That takes the place of a query that stock DRF makes, never of one that it does not make.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import Error
from django.db.models import Model, prefetch_related_objects
from rest_framework import fields, relations, serializers

from .learning import DECIDING
from .links import Kind, link
from .shapes import is_drfs

logger = logging.getLogger("turbo_orm_drf")
CACHE = "_prefetched_objects_cache"


@contextmanager
def peers(serializer: Any, rows: list[Any]) -> Iterator[None]:
    """Let the fields of a serializer fetch relations for all rows, until the block ends.

    Args:
        serializer: of one object.
        rows: the objects that it will represent.

    What was fetched of relations to many is forgotten afterwards, as by stock DRF.
    """
    with ExitStack() as stack:
        try:
            _watch(serializer, rows, stack)
        except Exception:
            logger.debug("The fields of %r are left alone.", type(serializer), exc_info=True)
        yield


def _watch(serializer: Any, rows: list[Any], stack: ExitStack) -> None:
    kind = type(rows[0]) if rows else None
    if kind is None or not issubclass(kind, Model) or any(type(row) is not kind for row in rows):
        return
    if not is_drfs(serializer, "to_representation") and not is_drfs(serializer, *DECIDING):
        # It may have no use for its fields, and making them may have effects.
        return
    for field in getattr(serializer, "fields", {}).values():
        names = [] if field.write_only else _relations(field, kind)
        if names and "get_attribute" not in vars(field):
            asking = _Asking(field, names, rows, stack)
            field.get_attribute = asking
            stack.callback(vars(field).pop, "get_attribute", None)


def _relations(field: Any, model: Any) -> list[str]:
    """Return the names of the relations that a field follows, the nearest first."""
    if not is_drfs(field, "get_attribute") or isinstance(field, fields.SerializerMethodField):
        return []
    attributes = list(getattr(field, "source_attrs", ()))
    found = []
    for position, name in enumerate(attributes):
        leads = link(model, name)
        is_last = position == len(attributes) - 1
        if leads.kind is Kind.KEY and is_last and _reads_key(field):
            break
        if leads.kind is Kind.MANY and not (is_last and _reads_all(field)):
            break
        if leads.kind not in (Kind.KEY, Kind.ONE, Kind.MANY):
            break
        found.append(name)
        model = leads.model
    return found


def _reads_key(field: Any) -> bool:
    return isinstance(field, relations.RelatedField) and bool(field.use_pk_only_optimization())


def _reads_all(field: Any) -> bool:
    """Tell whether a field reads all objects of a relation to many, and asks nothing else of it."""
    lists = (relations.ManyRelatedField, serializers.ListSerializer)
    return isinstance(field, lists) and is_drfs(field, "to_representation")


class _Asking:
    """Stands for the ``get_attribute`` of a field until the rows are represented."""

    def __init__(self, field: Any, names: list[str], rows: list[Any], stack: ExitStack) -> None:
        self._original: Callable[[Any], Any] = field.get_attribute
        self._field = field
        self._names = names
        self._rows = rows
        self._stack = stack
        self._asked = False

    def __call__(self, instance: Any) -> Any:
        """Return the attribute, which has been fetched for all rows by then."""
        if not self._asked:
            self._asked = True
            self._fetch()
        return self._original(instance)

    def _fetch(self) -> None:
        rows = self._rows
        try:
            for name in self._names:
                rows = self._follow(rows, name)
            inner = self._field
            inner = getattr(inner, "child", inner)
            if rows and isinstance(inner, serializers.BaseSerializer):
                _watch(inner, rows, self._stack)
        except Error:
            raise
        except Exception:
            logger.debug("%r fetches row by row.", self._field, exc_info=True)

    def _follow(self, rows: list[Any], name: str) -> list[Any]:
        """Fetch one relation of all rows, and return the objects beyond."""
        if not rows:
            return rows
        leads = link(type(rows[0]), name)
        # A key that was left out would be asked for row by row, of rows that nobody may read.
        rows = [row for row in rows if vars(row).keys() >= set(leads.columns)]
        is_many = leads.kind is Kind.MANY
        if is_many:
            for row in rows:
                self._stack.callback(_forget, row, set(vars(row).get(CACHE, ())))
        prefetch_related_objects(rows, name)
        found: list[Any] = []
        for row in rows:
            if is_many:
                found.extend(getattr(row, name).all()._result_cache or ())
            elif (one := getattr(row, name, None)) is not None:
                found.append(one)
        return found


def _forget(row: Any, kept: set[str]) -> None:
    """Forget the relations to many of a row, but those that were fetched before."""
    cache = vars(row).get(CACHE, {})
    for name in set(cache) - kept:
        del cache[name]
