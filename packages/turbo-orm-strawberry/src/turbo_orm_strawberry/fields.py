"""What the extension knows of one field of a schema."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models.fields.related_descriptors import (
    ForeignKeyDeferredAttribute,
    ForwardManyToOneDescriptor,
    ManyToManyDescriptor,
    ReverseManyToOneDescriptor,
)
from django.db.models.query_utils import DeferredAttribute
from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLString,
    OperationType,
    get_named_type,
    is_composite_type,
    is_introspection_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry_django.fields.base import StrawberryDjangoFieldBase
from strawberry_django.fields.field import StrawberryDjangoField
from strawberry_django.optimizer import DjangoOptimizerExtension, is_optimized_by_prefetching

from .field import TurboField

KEY = "turbo-orm"
MISSING = object()
# They look into the object's dictionary first, and the value is there if it is loaded.
COLUMNS = (DeferredAttribute, ForeignKeyDeferredAttribute)

# They leave what was prefetched as it is.
OUR_QUERYSETS = (StrawberryDjangoField.get_queryset, TurboField.get_queryset)

Reader = Callable[[Any], Any]


def UNKNOWN(root: Any) -> Any:  # noqa: N802 -- a constant that is called
    """Return MISSING: only the field's own resolver knows."""
    return MISSING


def _is_synchronous_resolver(field: GraphQLField) -> bool:
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    resolver = definition.base_resolver if isinstance(definition, StrawberryField) else None
    return resolver is not None and not resolver.is_async


class Reading:
    """How the value of a field comes about.

    Args:
        field: graphql-core's.
        plain: whether nobody else wants to see the value.
    """

    __slots__ = ("attribute", "has_nodes", "is_list", "may_load", "readers")

    def __init__(self, field: GraphQLField, *, plain: bool = True) -> None:
        kind: Any = field.type
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        self.is_list = isinstance(kind, GraphQLList)
        self.has_nodes = self.is_list and is_composite_type(get_named_type(kind))
        self.attribute = _attribute(field) if plain else None
        # Whether it may load what its object keeps: a column, a related object. A list is not kept.
        self.may_load = _is_synchronous_resolver(field) or (
            self.attribute is not None and not self.is_list
        )
        # For each class of objects, what gives the value if it is there already, so that reading it
        # runs no code, else MISSING.
        self.readers: dict[type, Reader] = {}

    def reader(self, kind: type) -> Reader:
        """Return what reads the attribute of a class of objects.

        Args:
            kind: the class.
        """
        found = UNKNOWN if self.attribute is None else _reader(kind, self.attribute)
        if self.is_list and found is not UNKNOWN:
            found = partial(_list_of, found)
        elif isinstance(found, partial) and found.func is _prefetched:
            # A field may take one row of a relation to many.
            found = UNKNOWN
        self.readers[kind] = found
        return found


# What introspection asks is in the schema.
INTROSPECTION = Reading(GraphQLField(GraphQLString), plain=False)


def reading_of(info: GraphQLResolveInfo[Any]) -> Reading:
    """Return what is known of the field that is being resolved."""
    field = info.parent_type.fields.get(info.field_name)
    if field is None or is_introspection_type(info.parent_type):
        return INTROSPECTION
    reading: Reading | None = field.extensions.get(KEY)
    if reading is None:
        reading = field.extensions[KEY] = Reading(field)
    return reading


def is_mutation(info: GraphQLResolveInfo[Any]) -> bool:
    """Tell whether a field is one of the mutations of its operation."""
    return info.path.prev is None and info.operation.operation is OperationType.MUTATION


def is_plain_chain(resolver: Any) -> bool:
    """Tell whether nothing but the optimizer stands between the extension and the field.

    Args:
        resolver: what graphql-core hands to an extension as the next.
    """
    while type(resolver) is partial:
        owner = getattr(resolver.func, "__self__", None)
        if type(owner) is not DjangoOptimizerExtension:
            return False
        resolver = resolver.args[0]
    return True


def _attribute(field: GraphQLField) -> str | None:
    """Return the attribute that the field merely reads, None if there is more to it."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryField) or field.subscribe is not None:
        return None
    if definition.base_resolver is not None or definition.extensions:
        return None
    if isinstance(definition, StrawberryDjangoFieldBase):
        if type(definition).get_result is not StrawberryDjangoField.get_result:
            return None
        if type(definition).get_queryset not in OUR_QUERYSETS:
            return None
        return definition.django_name or definition.python_name
    # The schema has put its own there.
    read: Any = vars(definition).get("default_resolver")
    return definition.python_name if read is getattr and definition.is_basic_field else None


def _reader(kind: type, name: str) -> Reader:
    """Return what reads an attribute of a class of objects without running code of the class."""
    own_way: Any = kind.__getattribute__
    if not kind.__dictoffset__ or own_way is not object.__getattribute__:
        return UNKNOWN
    found = getattr(kind, name, None)
    if type(found) is ForwardManyToOneDescriptor:
        return partial(found.field.get_cached_value, default=MISSING)
    if type(found) in (ManyToManyDescriptor, ReverseManyToOneDescriptor):
        return partial(_prefetched, _cache_name(found))
    if isinstance(found, DeferredAttribute):
        plain = type(found) in COLUMNS and found.field.attname == name
    else:
        plain = not (hasattr(type(found), "__get__") or hasattr(type(found), "__set__"))
    return partial(_in_dictionary, name) if plain else UNKNOWN


def _cache_name(found: Any) -> str:
    """Return the name under which Django keeps the prefetched rows of a relation to many."""
    if isinstance(found, ManyToManyDescriptor):
        field = found.rel.field
        return str(field.related_query_name() if found.reverse else field.name)
    # A method before Django 5.1.
    return str(getattr(found.rel, "cache_name", None) or found.rel.get_cache_name())


def _prefetched(name: str, root: Any) -> Any:
    """Return the rows that the optimizer has fetched, as the field itself would."""
    rows = root.__dict__.get("_prefetched_objects_cache", {}).get(name)
    if rows is None or rows._result_cache is None or not is_optimized_by_prefetching(rows):
        return MISSING
    return rows._result_cache


def _in_dictionary(name: str, root: Any) -> Any:
    return root.__dict__.get(name, MISSING)


def _list_of(reader: Reader, root: Any) -> Any:
    """Return a list; anything else may query when it is read."""
    value = reader(root)
    return value if type(value) is list or value is None else MISSING
