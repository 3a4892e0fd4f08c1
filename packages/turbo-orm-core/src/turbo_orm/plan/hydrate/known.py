"""Related objects that the caller knows already, as a related manager knows its owner."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import django
from django.db import router
from django.db.models import Model
from django.db.models.fields.mixins import FieldCacheMixin
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor

from .classes import cache_key, class_attribute, is_foreign_key

KnownObjects = Mapping[Any, Mapping[Any, Any]]
Owners = dict[Any, tuple[Any, Any]]

# Before, Django fetches a deferred key to find out whose it is: one query per row.
LEAVES_DEFERRED = django.VERSION >= (6, 1)


class Known:
    """Gives new objects the related ones to which they belong.

    Args:
        model: the queryset's.
        plain: the columns that the objects have, if making them ran none of their class's code.
    """

    __slots__ = ("_direct", "_model", "_plain")

    def __init__(self, model: type[Model], plain: list[str]) -> None:
        self._model = model
        self._plain = plain
        self._direct: dict[Any, bool] = {}

    def attach(self, objects: list[Any], known: KnownObjects, db: str) -> None:
        """Give each object its related ones.

        Args:
            objects: new ones.
            known: by field and key, the ``_known_related_objects`` of a queryset.
            db: the alias from which the objects come.
        """
        for field, related in known.items():
            owners = self._owners(field, related, db)
            if owners is None:
                self._set(objects, field, related)
            else:
                _store(objects, field, owners)

    def pure(self, known: KnownObjects, db: str) -> bool:
        """Return whether giving them can neither query nor run the project's code.

        Args:
            known: as above.
            db: as above.
        """
        return all(self._owners(field, related, db) is not None for field, related in known.items())

    def _owners(self, field: Any, related: Mapping[Any, Any], db: str) -> Owners | None:
        # What each owner puts into an object, if Django's descriptor would just store it.
        if field not in self._direct:
            self._direct[field] = self._is_direct(field)
        if not self._direct[field] or any(hasattr(r, "allow_relation") for r in router.routers):
            return None
        name = field.foreign_related_fields[0].attname
        model = field.remote_field.model._meta.concrete_model
        owners = {}
        for key, owner in related.items():
            # Others make Django ask the routers, query, or complain.
            if not isinstance(owner, model) or owner._state.db != db or name not in vars(owner):
                return None
            owners[key] = owner, getattr(owner, name)
        return owners

    def _is_direct(self, field: Any) -> bool:
        names = self._key_names(field)
        descriptor: Any = class_attribute(self._model, field.name)
        return (
            names == [field.attname]
            and field.attname in self._plain
            and is_foreign_key(self._model, field.attname)
            and type(descriptor) is ForwardManyToOneDescriptor
            and descriptor.field == field
            and type(field).set_cached_value is FieldCacheMixin.set_cached_value
            and field.remote_field.multiple
        )

    def _key_names(self, field: Any) -> list[str]:
        get_field: Any = self._model._meta.get_field
        return [
            field.attname if name == "self" else get_field(name).attname
            for name in field.from_fields
        ]

    def _set(self, objects: list[Any], field: Any, related: Mapping[Any, Any]) -> None:
        names = self._key_names(field)
        key = operator.attrgetter(*names)
        for instance in objects:
            if field.is_cached(instance):
                continue
            if LEAVES_DEFERRED and any(name not in instance.__dict__ for name in names):
                continue
            identity = key(instance)
            # It may be nobody's: querysets may be or-ed.
            if identity in related:
                setattr(instance, field.name, related[identity])


def _store(objects: list[Any], field: Any, owners: Owners) -> None:
    name, cached = field.attname, cache_key(field)
    for instance in objects:
        cache = instance._state.fields_cache
        identity = instance.__dict__[name]
        if cached not in cache and identity in owners:
            cache[cached], instance.__dict__[name] = owners[identity]
