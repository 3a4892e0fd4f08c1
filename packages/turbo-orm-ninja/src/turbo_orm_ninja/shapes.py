"""Which attributes of its objects a response schema reads, found out once per operation."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any, ForwardRef, get_args

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo
from pydantic.functional_validators import BeforeValidator, PlainValidator, WrapValidator

from ninja import Schema
from turbo_orm.query import ANYTHING, behind, read_by

# How often a schema may occur in itself before its objects are taken whole.
REPEATS_MAX = 2
LOOKING = (BeforeValidator, PlainValidator, WrapValidator)
# Ninja's own validator, which every schema has.
NINJAS_VALIDATOR = "_run_root_validator"


@dataclasses.dataclass(frozen=True)
class Shape:
    """What a response reads.

    Args:
        paths: of its objects, if it is one or a list of them.
        members: the same for the values of a dictionary.
        schemas: every schema in it.
    """

    paths: frozenset[str]
    members: Mapping[str, Shape]
    schemas: frozenset[type[BaseModel]]


def shape_of(annotation: Any) -> Shape:
    """Return what is read by a schema, a list of a schema, or anything made of schemas."""
    schemas = list(_schemas_in(annotation))
    paths = frozenset(path for schema in schemas for path in _paths(schema, ()))
    members = {
        key: shape_of(field.annotation)
        for schema in schemas
        for name, field in schema.model_fields.items()
        for key in _keys(schema, name, field)
        if not _is_within(schema, field)
    }
    return Shape(paths, members, frozenset(_reachable(schemas)))


def _is_within(schema: type[BaseModel], field: FieldInfo) -> bool:
    return schema in _reachable(_schemas_in(field.annotation, schema))


def _schemas_in(annotation: Any, around: type | None = None) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, str | ForwardRef) and around is not None:
        annotation = _named(annotation, around)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _schemas_in(argument, around)


def _named(annotation: str | ForwardRef, around: type) -> Any:
    """Return the class of a name, which Python 3.10 leaves as it was written in ``list["X"]``."""
    name = annotation if isinstance(annotation, str) else annotation.__forward_arg__
    return (
        around if name == around.__name__ else getattr(sys.modules[around.__module__], name, None)
    )


def _reachable(schemas: Any) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    waiting = list(schemas)
    while waiting:
        schema = waiting.pop()
        if schema not in found:
            found.add(schema)
            for field in schema.model_fields.values():
                waiting.extend(_schemas_in(field.annotation, schema))
    return found


def _paths(schema: type[BaseModel], trail: tuple[type[BaseModel], ...]) -> Iterator[str]:
    if _looks_at_the_object(schema):
        yield ANYTHING
    for name, field in schema.model_fields.items():
        for key in _keys(schema, name, field):
            yield from _paths_of_key(schema, name, key, trail)


def _paths_of_key(
    schema: type[BaseModel], name: str, key: str, trail: tuple[type[BaseModel], ...]
) -> Iterator[str]:
    if key in getattr(schema, "_ninja_resolvers", {}):
        yield from read_by(resolver_function(schema, key))
        return
    field = schema.model_fields[name]
    inner = [
        path
        for nested in _schemas_in(field.annotation, schema)
        if (*trail, schema).count(nested) < REPEATS_MAX
        for path in _paths(nested, (*trail, schema))
    ]
    if inner and _looks_at_the_value(schema, name, field):
        inner.append(ANYTHING)
    yield from behind(key, inner)


def resolver_function(schema: type[BaseModel], key: str) -> Any:
    """Return the function of a ``resolve_*`` method."""
    method = inspect.getattr_static(schema, f"resolve_{key}", None)
    return getattr(method, "__func__", method)


def _keys(schema: type[BaseModel], name: str, field: FieldInfo) -> Iterator[str]:
    alias = field.validation_alias
    if alias is None:
        yield name
        return
    for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
        yield _dotted(choice) if isinstance(choice, AliasPath) else choice
    config = schema.model_config
    if config.get("populate_by_name") or config.get("validate_by_name"):
        yield name


def _dotted(alias: AliasPath) -> str:
    return ".".join(step if isinstance(step, str) else ANYTHING for step in alias.path)


def _looks_at_the_object(schema: type[BaseModel]) -> bool:
    """Tell whether a validator of the whole schema sees the object itself."""
    return any(
        name != NINJAS_VALIDATOR and validator.info.mode in {"before", "wrap"}
        for name, validator in schema.__pydantic_decorators__.model_validators.items()
    )


def _looks_at_the_value(schema: type[BaseModel], name: str, field: FieldInfo) -> bool:
    """Tell whether a validator of a field sees the related object itself."""
    if any(isinstance(item, LOOKING) for item in field.metadata):
        return True
    return any(
        validator.info.mode != "after" and {name, "*"} & set(validator.info.fields)
        for validator in schema.__pydantic_decorators__.field_validators.values()
    )


def is_ninjas(schema: type[BaseModel]) -> bool:
    """Tell whether a schema can have ``resolve_*`` methods."""
    return issubclass(schema, Schema)
