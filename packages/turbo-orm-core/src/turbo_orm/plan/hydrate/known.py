"""Related objects that the caller knows already, as a related manager knows its owner."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import django
from django.db import router
from django.db.models import Model

KnownObjects = Mapping[Any, Mapping[Any, Any]]

# Before, Django fetches a deferred key to find out whose it is: one query per row.
LEAVES_DEFERRED = django.VERSION >= (6, 1)


def attach_known(objects: list[Any], model: type[Model], known: KnownObjects) -> None:
    """Give each object the related ones that it belongs to.

    Args:
        objects: new ones.
        model: the queryset's.
        known: by field and key, the ``_known_related_objects`` of a queryset.
    """
    for field, related in known.items():
        names = key_names(model, field)
        key = operator.attrgetter(*names)
        for instance in objects:
            if field.is_cached(instance) or (LEAVES_DEFERRED and _lacks(instance, names)):
                continue
            identity = key(instance)
            # It may be nobody's: querysets may be or-ed.
            if identity in related:
                setattr(instance, field.name, related[identity])


def is_pure(loaded: list[str], model: type[Model], known: KnownObjects) -> bool:
    """Return whether giving them can neither query nor run the project's code.

    Args:
        loaded: the columns that the objects have.
        model: the queryset's.
        known: as above.
    """
    if any(hasattr(each, "allow_relation") for each in router.routers):
        return False
    return all(
        type(getattr(model, field.name, None)).__module__.startswith("django.")
        and set(key_names(model, field)) <= set(loaded)
        and all(_complete(owner, field) for owner in related.values())
        for field, related in known.items()
    )


def key_names(model: type[Model], field: Any) -> list[str]:
    """Return the columns that say to which object one belongs."""
    return [
        field.attname if name == "self" else getattr(model._meta.get_field(name), "attname")  # noqa: B009
        for name in field.from_fields
    ]


def _lacks(instance: Model, names: list[str]) -> bool:
    return any(name not in instance.__dict__ for name in names)


def _complete(owner: Any, field: Any) -> bool:
    # An unsaved owner makes Django ask the routers for an alias.
    names = [target.attname for target in field.foreign_related_fields]
    return owner._state.db is not None and not _lacks(owner, names)
