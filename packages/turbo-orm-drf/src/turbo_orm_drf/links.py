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
    """Kinds of attributes: KEY is a relation to one whose key is a column of the row."""

    COLUMN = "column"
    KEY = "key"
    ONE = "one"
    MANY = "many"
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
    # A manager whose all() is the project's may ask the database whatever was fetched before.
    function = type(beyond._default_manager).all
    is_djangos = str(function.__module__).startswith(("django.", "turbo_orm."))
    return Link(Kind.MANY if is_djangos else Kind.OTHER, beyond, columns)


def _names(fields: Iterable[Any]) -> tuple[str, ...]:
    return tuple(field.attname for field in fields)
