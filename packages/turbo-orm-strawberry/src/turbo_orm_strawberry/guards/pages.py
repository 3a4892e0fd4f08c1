"""What the arguments of a field say of the size of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLField
from strawberry.relay import ConnectionExtension
from strawberry.relay.utils import from_base64
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry_django.settings import strawberry_django_settings


def size_of(field: GraphQLField, given: Mapping[str, Any]) -> int | None:
    """Return how many nodes a page asks for, None if it does not say.

    Args:
        field: of the schema.
        given: its arguments, coerced.
    """
    if _is_connection(field):
        asked = [given[name] for name in ("first", "last") if given.get(name) is not None]
        return max(asked) if asked else _before(given)
    page = given.get("pagination")
    limit = page.get("limit") if isinstance(page, dict) else None
    return limit if isinstance(limit, int) else None


def default_size(schema: Any, field: GraphQLField) -> int | None:
    """Return how many nodes a page has that does not say how many, None for a field without pages.

    Args:
        schema: strawberry's.
        field: of the schema.
    """
    if _is_connection(field):
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        for extension in getattr(definition, "extensions", ()):
            if isinstance(extension, ConnectionExtension) and extension.max_results is not None:
                return int(extension.max_results)
        return int(schema.config.relay_max_results)
    if "pagination" in field.args:
        return int(strawberry_django_settings()["PAGINATION_DEFAULT_LIMIT"] or 1)
    return None


def _is_connection(field: GraphQLField) -> bool:
    return {"first", "after"} <= field.args.keys()


def _before(given: Mapping[str, Any]) -> int | None:
    """Return how many nodes stand between two cursors that are positions.

    Without ``first`` and ``last`` strawberry gives all of them.
    """
    before = _position(given.get("before"))
    after = _position(given.get("after"))
    return None if before is None else max(0, before - (0 if after is None else after + 1))


def _position(cursor: Any) -> int | None:
    if not isinstance(cursor, str) or not cursor:
        return None
    try:
        return int(from_base64(cursor)[1])
    except ValueError:
        # Of another kind, or wrong: then the field says so.
        return None
