"""What the tests of the adapter share."""

from typing import Any

from django.db import connection
from strawberry_django.optimizer import DjangoOptimizerExtension

import strawberry
import turbo_orm_strawberry as turbo
from tests.testapp import models
from tests.waiting import FOREVER
from turbo_orm_strawberry import TurboExtension


@turbo.type(models.Tag)
class Tag:
    name: strawberry.auto


@turbo.type(models.Profile)
class Profile:
    bio: strawberry.auto


@turbo.type(models.Author)
class Author:
    id: strawberry.auto
    name: strawberry.auto
    age: strawberry.auto
    profile: Profile | None
    articles: list["Article"]


@turbo.type(models.Article)
class Article:
    id: strawberry.auto
    title: strawberry.auto
    author: Author
    tags: list[Tag]


def schema(query: Any, mutation: Any = None, *, optimizer: bool = True, **options: Any) -> Any:
    """Return a schema with the extension.

    Args:
        query: the root of queries.
        mutation: the root of mutations.
        optimizer: whether the optimizer is there too.
        **options: as for strawberry's; `extensions` come before ours, `turbo` is what makes ours.
    """
    extensions = [
        *options.pop("extensions", ()),
        *([DjangoOptimizerExtension] if optimizer else []),
        options.pop("turbo", TurboExtension),
    ]
    return strawberry.Schema(query, mutation, extensions=extensions, **options)


async def data(schema: Any, query: str, **options: Any) -> Any:
    """Execute an operation that has no errors, and return its data."""
    result = await schema.execute(query, **options)
    assert result.errors is None, result.errors
    return result.data


def sleep(seconds: float = FOREVER) -> None:
    """Keep a connection busy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


__all__ = ["Article", "Author", "Profile", "Tag", "data", "schema", "sleep"]
