"""How long the lists are that the arguments of a field have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)


def longest_list(field: GraphQLField, given: Mapping[str, Any]) -> int:
    """Return how many items the longest list has, 0 without lists.

    Args:
        field: of the schema.
        given: its arguments, coerced. A list inside a scalar, such as JSON, is
            not counted.
    """
    rest: list[tuple[Any, Any]] = [
        (argument.type, given.get(name)) for name, argument in field.args.items()
    ]
    longest = 0
    while rest:
        nullable, value = rest.pop()
        kind: Any = get_nullable_type(nullable)
        if is_list_type(kind) and isinstance(value, list):
            longest = max(longest, len(value))
            rest += [(kind.of_type, item) for item in value]
        elif is_input_object_type(kind):
            rest += _fields(kind, value)
    return longest


def _fields(kind: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        for name, field in kind.fields.items():
            yield field.type, value.get(field.out_name or name)
