"""What an attribute of a model is: a column, a relation to one or to many, or anything else."""

from __future__ import annotations

import functools
from typing import Any

from django.db.models import Field, ForeignObjectRel, Model
from django.db.models.signals import class_prepared, post_init


@functools.lru_cache(maxsize=1024)
def attributes(model: type[Model]) -> dict[str, Any]:
    """Return the fields and relations of a model by the attribute that each is read from."""
    found: dict[str, Any] = {}
    for field in model._meta.get_fields():
        name = field.get_accessor_name() if isinstance(field, ForeignObjectRel) else field.name
        if name is None:
            continue
        found[name] = field
        if isinstance(field, Field) and field.concrete:
            # A foreign key is read from here too, without the object.
            found.setdefault(field.attname, Column(field))
    if model._meta.pk is not None:
        found["pk"] = Column(model._meta.pk)
    return found


class Column:
    """A field read without what it refers to."""

    __slots__ = ("field",)

    is_relation = False

    def __init__(self, field: Any) -> None:
        self.field = field


def is_to_any_table(field: Any) -> bool:
    """Tell whether a relation is a ``GenericForeignKey``; contenttypes may not be installed."""
    return field.related_model is None


def is_generic(field: Any) -> bool:
    """Tell whether a relation is a ``GenericRelation``."""
    return hasattr(field, "object_id_field_name")


def is_to_one(field: Any) -> bool:
    """Tell whether a relation leads to no more than one row."""
    return bool(field.many_to_one or field.one_to_one)


def columns_here(field: Any) -> set[str]:
    """Return the columns of a model without which a field or relation of it cannot be read."""
    if isinstance(field, Column):
        return {field.field.name}
    if not field.is_relation:
        return {field.name}
    if is_to_any_table(field):
        return {field.ct_field, field.fk_field}
    if is_generic(field):
        return {field.model._meta.pk.name}
    return _keys_here(field)


def _keys_here(field: Any) -> set[str]:
    if isinstance(field, ForeignObjectRel):
        return _referred_to(field)
    return _referred_to(field.remote_field) if field.many_to_many else _own_columns(field)


def _own_columns(field: Any) -> set[str]:
    """Return the columns in which a relation keeps its key: a ``ForeignObject`` has none itself."""
    return {column.name for column in field.local_related_fields}


def _referred_to(relation: Any) -> set[str]:
    """Return what the rows beyond a relation keep of this one; usually its primary key."""
    if relation.many_to_many:
        through = relation.through._meta.get_fields()
        keys = [field for field in through if field.concrete and field.is_relation]
    else:
        keys = [relation.field]
    return {target.name for key in keys for target in getattr(key, "foreign_related_fields", ())}


def columns_there(field: Any) -> set[str]:
    """Return the columns of a related model by which its rows find their way back."""
    if is_generic(field):
        return {field.object_id_field_name, field.content_type_field_name}
    if isinstance(field, ForeignObjectRel) and not field.many_to_many:
        return _own_columns(field.field)
    return set()


def is_parent_link(field: Any) -> bool:
    """Tell whether a relation is that between the tables of one inherited object."""
    own = field.field if isinstance(field, ForeignObjectRel) else field
    return bool(getattr(own.remote_field, "parent_link", False))


def is_joined(field: Any) -> bool:
    """Tell whether a relation is read by a join: it leads to one row that Django would find."""
    return is_to_one(field) and not is_parent_link(field) and not is_filtered(field.related_model)


def is_filtered(model: type[Model]) -> bool:
    """Tell whether Django asks for a related object by a manager of the project's own.

    Args:
        model: of the object. A join would find rows that such a manager leaves out.
    """
    return not _is_djangos(type(model._base_manager).get_queryset)


def is_asked_anew(model: type[Model]) -> bool:
    """Tell whether a related manager's ``all()`` is the project's: it may ask in any case.

    Args:
        model: of the rows of a relation to many.
    """
    return not _is_djangos(type(model._default_manager).all)


def _is_djangos(function: Any) -> bool:
    return str(function.__module__).startswith(("django.", "turbo_orm."))


@functools.lru_cache(maxsize=1024)
def has_own_beginnings(model: type[Model]) -> bool:
    """Tell whether code of the project's sees each new instance, and may read any column of it."""
    return (
        model.__init__ is not Model.__init__
        or model.from_db.__func__ is not Model.from_db.__func__  # type: ignore[attr-defined]
        or post_init.has_listeners(model)
    )


def forget(**kwargs: Any) -> None:
    """Look again: a model that is made may refer to one that was looked at before."""
    attributes.cache_clear()
    has_own_beginnings.cache_clear()


class_prepared.connect(forget, dispatch_uid="turbo_orm.optimizer.relations")
