"""Which model classes an instance of may be made without running their code."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.db.models.fields.mixins import FieldCacheMixin
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute

from .receivers import MAKING, has_receivers

MISSING = object()


def is_plain(model: type[Model], names: list[str]) -> bool:
    """Return whether ``from_db`` only fills the ``__dict__`` of a new instance.

    Args:
        model: the class.
        names: the attributes that it is given.
    """
    return not (
        _customised(model)
        or has_receivers(model)
        or not stores(model, "_state")
        or not all(stores(model, name) or is_foreign_key(model, name) for name in names)
    )


def stores(model: type[Model], name: str) -> bool:
    """Return whether ``setattr`` only puts the value into an instance's ``__dict__``."""
    kind = type(class_attribute(model, name))
    # Python calls a descriptor that has only one of the two for setting, too.
    return not (hasattr(kind, "__set__") or hasattr(kind, "__delete__"))


def is_foreign_key(model: type[Model], name: str) -> bool:
    """Return whether an attribute is a foreign key's column, as Django has it.

    Setting one looks into the new instance's empty cache of related objects, and puts the value
    into its ``__dict__``.
    """
    found: Any = class_attribute(model, name)
    return (
        type(found) is ForeignKeyDeferredAttribute
        and found.field.attname == name
        and type(found.field).is_cached is FieldCacheMixin.is_cached
    )


def cache_key(field: Any) -> str:
    """Return the key under which a relation's objects are in a ``fields_cache``."""
    named = hasattr(FieldCacheMixin, "cache_name")  # since Django 5.1
    key: str = field.cache_name if named else field.get_cache_name()
    return key


def _customised(model: type[Model]) -> bool:
    # A mixin's __init__ runs even behind Model, which calls super().__init__().
    metaclass: type = type(model)
    return any(
        name in vars(base)
        for base in model.__mro__
        if base not in (Model, object)
        for name in MAKING
    ) or any("__call__" in vars(base) for base in metaclass.__mro__ if base is not type)


def class_attribute(model: type[Model], name: str) -> object:
    """Return what a class has under a name, a descriptor as itself."""
    return next((vars(base)[name] for base in model.__mro__ if name in vars(base)), MISSING)
