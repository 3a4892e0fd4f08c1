"""What an attribute of a model leads to, told by its descriptor."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ManyToManyDescriptor,
    ReverseManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.query_utils import DeferredAttribute


class Kind(enum.Enum):
    """Kinds of attributes.

    KEY is a relation to one whose key is a column of the row, ALONE one to many that finds other
    rows for one object than for several at once.
    """

    COLUMN = "column"
    KEY = "key"
    ONE = "one"
    MANY = "many"
    ALONE = "alone"
    OTHER = "other"


class Link(NamedTuple):
    """Where an attribute leads.

    Args:
        kind: what it is.
        model: of the objects beyond, None if there are none or they may be of several.
        columns: the attributes of the row by which the objects beyond are found.
    """

    kind: Kind
    model: Any = None
    columns: tuple[str, ...] = ()


def link(model: Any, name: str) -> Link:
    """Return where an attribute of a model's objects leads.

    Args:
        model: a model, or None if it is not known.
        name: of the attribute.
    """
    found: Any = None if model is None else _static(model, name)
    if isinstance(found, DeferredAttribute) or (model is not None and name == "pk"):
        return Link(Kind.COLUMN)
    if isinstance(found, ForwardManyToOneDescriptor):
        field: Any = found.field
        kind = Kind.KEY if field.concrete else Kind.ONE
        return Link(kind, field.remote_field.model, _names(field.local_related_fields))
    if isinstance(found, ReverseOneToOneDescriptor):
        related: Any = found.related
        return Link(Kind.ONE, related.related_model, _names(related.field.foreign_related_fields))
    if isinstance(found, ReverseManyToOneDescriptor):
        return _many(found, model)
    return Link(Kind.OTHER)


def _static(model: Any, name: str) -> Any:
    return next((vars(cls)[name] for cls in model.__mro__ if name in vars(cls)), None)


def _many(found: Any, model: Any) -> Link:
    rel = found.rel
    columns: tuple[str, ...] = (model._meta.pk.attname,)
    # These are defined on this side, others on that beyond.
    is_generic = hasattr(rel.field, "object_id_field_name")
    is_forward = isinstance(found, ManyToManyDescriptor) and not found.reverse
    beyond = rel.model if is_generic or is_forward else rel.related_model
    if not is_generic and not isinstance(found, ManyToManyDescriptor):
        columns = _names(rel.field.foreign_related_fields)
    return Link(Kind.ALONE if _asks_alone(beyond) else Kind.MANY, beyond, columns)


def _asks_alone(model: Any) -> bool:
    """Tell whether the related manager of one object may find what prefetching for many does not.

    Args:
        model: of the rows, whose default manager related managers begin with.
    """
    manager = model._default_manager
    if not _is_djangos(type(manager).all):
        # It may ask the database whatever was fetched before.
        return True
    if _is_djangos(type(manager).get_queryset):
        return False
    query = manager.get_queryset().query
    joins = [getattr(table, "join_field", None) for table in query.alias_map.values()]
    # A slice is cut of all rows, or of those of each object. A relation to many that the manager
    # follows is joined once more for one object, which repeats rows; prefetching shares the join.
    return query.is_sliced or any(
        field is not None and (field.one_to_many or field.many_to_many) for field in joins
    )


def _is_djangos(function: Any) -> bool:
    return str(function.__module__).startswith(("django.", "turbo_orm."))


def _names(fields: Iterable[Any]) -> tuple[str, ...]:
    return tuple(field.attname for field in fields)
