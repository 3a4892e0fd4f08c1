"""Which attributes of its objects a serializer reads."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.core.exceptions import FieldDoesNotExist
from rest_framework import fields, relations, serializers

C = TypeVar("C", bound=Callable[..., Any])

# Stands for an attribute that is no field of any model: anything may be read.
ANYTHING = "*"
READS = "_turbo_orm_reads"
# What decides which attributes are read: DRF's own is known, a project's may read anything.
DECIDING = ("get_attribute", "to_representation")


def reads(*paths: str) -> Callable[[C], C]:
    """Say what a method of a serializer reads, so that it is fetched along and nothing else is.

    Args:
        *paths: attributes of the object, with dots between those of related objects.

    For the method of a ``SerializerMethodField`` and for ``to_representation``. Without it they may
    read anything: the object is fetched whole, and relations that only they know are loaded row by
    row.
    """

    def decorate(function: C) -> C:
        setattr(function, READS, paths)
        return function

    return decorate


def paths_of(serializer: Any) -> frozenset[str]:
    """Return what a serializer reads of an object.

    Args:
        serializer: an instance, of one object or of many.
    """
    return frozenset(_of_serializer(serializer))


def _of_serializer(serializer: Any) -> Iterator[str]:
    child = getattr(serializer, "child", None)
    if child is not None:
        if not _is_drfs(serializer, "to_representation"):
            yield ANYTHING
        yield from _of_serializer(child)
        return
    yield from _said_by(serializer, "to_representation")
    for field in getattr(serializer, "fields", {}).values():
        if not field.write_only:
            yield from _of_field(field)


def _of_field(field: Any) -> Iterator[str]:
    if isinstance(field, fields.SerializerMethodField):
        yield from _said_by_method(field.parent, field.method_name)
    elif isinstance(field, fields.ModelField):
        yield field.model_field.attname
    elif isinstance(field, relations.HyperlinkedIdentityField):
        yield field.lookup_field
    elif not _is_drfs(field, "get_attribute"):
        yield ANYTHING
    elif isinstance(field, relations.ManyRelatedField):
        yield from _beyond(field.source_attrs, _of_related(field.child_relation))
    elif isinstance(field, relations.RelatedField):
        yield from _of_relation(field)
    elif isinstance(field, serializers.BaseSerializer):
        yield from _beyond(field.source_attrs, list(_of_serializer(field)))
    elif field.source_attrs:
        yield ".".join(field.source_attrs)
    else:
        yield ANYTHING


def _of_relation(field: Any) -> Iterator[str]:
    key = _key_of(field) if field.use_pk_only_optimization() else None
    if key is not None:
        yield ".".join([*field.source_attrs[:-1], key])
    else:
        yield from _beyond(field.source_attrs, _of_related(field))


def _key_of(field: Any) -> str | None:
    """Return where the key of a related object is read, if that is no more than a column."""
    model: Any = getattr(getattr(field.parent, "Meta", None), "model", None)
    try:
        for name in field.source_attrs[:-1]:
            model = model._meta.get_field(name).related_model
        return str(model._meta.get_field(field.source_attrs[-1]).attname)
    except (AttributeError, IndexError, FieldDoesNotExist):
        return None


def _of_related(field: Any) -> list[str]:
    """Return what a relation reads of the object beyond."""
    if not _is_drfs(field, "to_representation"):
        return list(_said_by(field, "to_representation"))
    if isinstance(field, relations.SlugRelatedField):
        return [field.slug_field.replace("__", ".")]
    if isinstance(field, relations.HyperlinkedRelatedField):
        return [field.lookup_field]
    return ["pk"] if isinstance(field, relations.PrimaryKeyRelatedField) else [ANYTHING]


def _beyond(names: list[str], inner: list[str]) -> Iterator[str]:
    prefix = ".".join(names)
    if not prefix:
        yield from inner
    elif not inner:
        yield prefix
    else:
        yield from (f"{prefix}.{path}" for path in inner)


def _said_by(owner: Any, name: str) -> Iterator[str]:
    if not _is_drfs(owner, name):
        yield from _said_by_method(owner, name)


def _said_by_method(owner: Any, name: str) -> Iterator[str]:
    function = inspect.getattr_static(type(owner), name, None)
    function = getattr(function, "__func__", function)
    yield from getattr(function, READS, (ANYTHING,))


def _is_drfs(owner: Any, name: str) -> bool:
    """Tell whether a method is DRF's own."""
    return _is_known(getattr(type(owner), name))


def _is_known(function: Any) -> bool:
    return str(function.__module__).startswith(("rest_framework.", "turbo_orm_drf."))


def is_the_classes(kind: type) -> bool:
    """Tell whether all instances of a serializer class have the same fields.

    Args:
        kind: a serializer class. One with code of the project's own that makes fields may make
            others for each request.
    """
    return all(_is_known(getattr(kind, name)) for name in ("__init__", "get_fields"))
