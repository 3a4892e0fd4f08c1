"""Which attributes of its objects a serializer is sure to read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from rest_framework import fields, relations, serializers

from turbo_orm.query import ANYTHING, behind, read_by, reads

from .links import Kind, link

__all__ = ["ANYTHING", "is_drfs", "is_known", "paths_of", "reads"]

PACKAGES = ("rest_framework.", "turbo_orm_drf.")
# From the model of the objects beyond a relation to what is read of them.
Inner = Callable[[Any], Iterable[str]]


def paths_of(serializer: Any, model: Any = None) -> frozenset[str]:
    """Return what a serializer is sure to read of an object, and no query that it may not make.

    Args:
        serializer: an instance, of one object or of many.
        model: of the objects; that of the serializer if None.
    """
    return frozenset(_of_serializer(serializer, model))


def is_drfs(owner: Any, *names: str) -> bool:
    """Tell whether methods are DRF's own or ours.

    Args:
        owner: an instance or a class.
        *names: of methods and properties; what the owner does not have counts as DRF's.
    """
    kind = owner if isinstance(owner, type) else type(owner)
    return all(is_known(getattr(kind, name, None)) for name in names)


def is_known(function: Any) -> bool:
    """Tell whether a function is DRF's or ours, or no function at all."""
    if type(function) is not FunctionType:
        for inner in ("__func__", "fget", "func"):
            function = getattr(function, inner, function)
    module = getattr(function, "__module__", None)
    return module is None or module.startswith(PACKAGES)


def _of_serializer(serializer: Any, model: Any) -> Iterator[str]:
    if not is_drfs(serializer, "to_representation"):
        said = _said(serializer, "to_representation")
        yield from said
        if ANYTHING in said:
            # Nobody knows which fields it reads, and whether at all.
            return
    child = getattr(serializer, "child", None)
    if child is not None:
        yield from _of_serializer(child, model)
        return
    if model is None:
        model = getattr(getattr(serializer, "Meta", None), "model", None)
    for field in getattr(serializer, "fields", {}).values():
        if not field.write_only:
            yield from _of_field(field, model)


def _of_field(field: Any, model: Any) -> Iterator[str]:
    if not is_drfs(field, "get_attribute") or _represents_by_itself(field):
        yield ANYTHING
    elif isinstance(field, fields.SerializerMethodField):
        yield from _said(field.parent, field.method_name)
    elif isinstance(field, fields.ModelField):
        yield field.model_field.attname
    elif isinstance(field, relations.ManyRelatedField):
        child = field.child_relation
        yield from _of_many(field, model, lambda beyond: _of_related(child, beyond))
    elif isinstance(field, relations.RelatedField):
        yield from _of_relation(field, model)
    elif isinstance(field, serializers.ListSerializer):
        yield from _of_list(field, model)
    elif isinstance(field, serializers.BaseSerializer):
        yield from _of_one(field, model, lambda beyond: _of_serializer(field, beyond))
    else:
        yield from _along(field.source_attrs, model)


def _represents_by_itself(field: Any) -> bool:
    """Tell whether code of the project's is handed the object, or a manager of many."""
    kinds = (fields.SerializerMethodField, relations.ManyRelatedField)
    return isinstance(field, kinds) and not is_drfs(field, "to_representation")


def _of_list(field: Any, model: Any) -> Iterator[str]:
    if is_drfs(field, "to_representation"):
        yield from _of_many(field, model, lambda beyond: _of_serializer(field.child, beyond))
    else:
        # It is handed a manager, and may make any query of it.
        yield from _said(field, "to_representation")


def _of_relation(field: Any, model: Any) -> Iterator[str]:
    if not field.use_pk_only_optimization() or not field.source_attrs:
        yield from _of_one(field, model, lambda beyond: _of_related(field, beyond))
        return
    *before, last = field.source_attrs
    beyond, stopped = _walked(before, model)
    found = link(beyond, last)
    if stopped is not None:
        yield stopped
    elif found.kind is Kind.KEY:
        yield ".".join([*before, found.columns[0]])
    elif found.kind is Kind.ONE:
        # The object is fetched for its key.
        yield ".".join([*before, last, "pk"])
    else:
        yield ".".join([*before, ANYTHING])


def _of_related(field: Any, model: Any) -> Iterable[str]:
    """Return what a relation reads of the object beyond, which is of the model."""
    if isinstance(field, relations.HyperlinkedRelatedField):
        own = not is_drfs(field, "to_representation", "get_url")
        return [ANYTHING if own else field.lookup_field]
    if not is_drfs(field, "to_representation"):
        return _said(field, "to_representation")
    if isinstance(field, relations.SlugRelatedField):
        return _along(field.slug_field.split("__"), model)
    return ["pk" if isinstance(field, relations.PrimaryKeyRelatedField) else ANYTHING]


def _of_one(field: Any, model: Any, inner: Inner) -> Iterator[str]:
    """Yield the paths through a relation to one; a source of ``*`` is the object itself."""
    beyond, stopped = _walked(field.source_attrs, model)
    if stopped is not None:
        yield stopped
    else:
        yield from behind(".".join(field.source_attrs), inner(beyond))


def _of_many(field: Any, model: Any, inner: Inner) -> Iterator[str]:
    """Yield the paths through a relation to many, all of whose objects are read."""
    *before, last = field.source_attrs or [""]
    beyond, stopped = _walked(before, model)
    found = link(beyond, last)
    if stopped is not None:
        yield stopped
    elif found.kind is Kind.MANY:
        yield from behind(".".join(field.source_attrs), inner(found.model))
    elif found.kind is Kind.ALONE:
        yield ".".join([*before, ANYTHING])
    else:
        yield ".".join([*before, last or ANYTHING])


def _along(names: list[str], model: Any) -> Iterator[str]:
    """Yield the path of attributes, whose last may be anything but a relation to many."""
    _, stopped = _walked(names, model)
    yield stopped if stopped is not None else ".".join(names) or ANYTHING


def _walked(names: list[str], model: Any) -> tuple[Any, str | None]:
    """Return the model at the end of some relations to one, or a path that ends before it."""
    for position, name in enumerate(names):
        found = link(model, name)
        if found.kind in (Kind.MANY, Kind.ALONE):
            # A manager: any query may be made of it, and what was prefetched be of no use.
            return None, ".".join([*names[:position], ANYTHING])
        if found.kind is Kind.OTHER and position < len(names) - 1:
            return None, ".".join(names[: position + 1])
        model = found.model
    return model, None


def _said(owner: Any, name: str) -> tuple[str, ...]:
    """Return what a method of the project's says that it reads."""
    return read_by(inspect.getattr_static(type(owner), name, None))
