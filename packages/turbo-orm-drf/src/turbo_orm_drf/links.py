"""What an attribute of a model leads to, told by its descriptor."""

from __future__ import annotations

import enum
from inspect import getattr_static
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
        key: the attribute that has the key, for a KEY.
    """

    kind: Kind
    model: Any = None
    key: str = ""


def link(model: Any, name: str) -> Link:
    """Return where an attribute of a model's objects leads.

    Args:
        model: a model, or None if it is not known.
        name: of the attribute.
    """
    found: Any = None if model is None else getattr_static(model, name, None)
    if isinstance(found, DeferredAttribute) or (model is not None and name == "pk"):
        return Link(Kind.COLUMN)
    if isinstance(found, ForwardManyToOneDescriptor):
        field: Any = found.field
        kind = Kind.KEY if field.concrete else Kind.ONE
        return Link(kind, field.remote_field.model, field.attname)
    if isinstance(found, ReverseOneToOneDescriptor):
        return Link(Kind.ONE, found.related.related_model)
    if isinstance(found, ManyToManyDescriptor):
        return _many(found.rel.related_model if found.reverse else found.rel.model)
    if isinstance(found, ReverseManyToOneDescriptor):
        rel: Any = found.rel
        # A generic relation is defined on this side, the reverse of a foreign key on the other.
        is_generic = hasattr(rel.field, "object_id_field_name")
        return _many(rel.model if is_generic else rel.related_model)
    return Link(Kind.OTHER)


def _many(model: Any) -> Link:
    # A manager whose all() is the project's may ask the database whatever was fetched before.
    function = type(model._default_manager).all
    is_djangos = str(function.__module__).startswith(("django.", "turbo_orm."))
    return Link(Kind.MANY if is_djangos else Kind.OTHER, model)
