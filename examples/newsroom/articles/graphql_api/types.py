"""What goes in and out; what an operation asks for is what the queries fetch."""

from __future__ import annotations

from typing import Annotated

import strawberry_django
from strawberry_django.relay import DjangoListConnection

import strawberry
import turbo_orm_strawberry as turbo
from strawberry import auto, relay

from .. import models


@turbo.type(models.Tag)
class Tag:
    """What an article is about."""

    id: auto
    name: auto


@strawberry_django.filter_type(models.Author, lookups=True)
class AuthorFilter:
    """Which authors."""

    name: auto


@strawberry_django.filter_type(models.Article, lookups=True)
class ArticleFilter:
    """Which articles."""

    title: auto
    published_at: auto
    author: AuthorFilter | None


@strawberry_django.order_type(models.Article)
class ArticleOrder:
    """In which order."""

    published_at: auto
    title: auto


@turbo.type(models.Author, filters=AuthorFilter)
class Author(relay.Node):
    """Who writes articles."""

    name: auto
    articles: DjangoListConnection[Annotated[Article, strawberry.lazy(".types")]] = (
        turbo.connection()
    )


@turbo.type(models.Comment)
class Comment:
    """A remark."""

    author_name: auto
    text: auto


@turbo.type(models.Article, filters=ArticleFilter, ordering=ArticleOrder)
class Article(relay.Node):
    """What the newsroom is there for."""

    title: auto
    slug: auto
    body: auto
    published_at: auto
    author: Author
    tags: list[Tag]
    comments: list[Comment]

    @turbo.field(only=["body"])
    def words(self) -> int:
        """How long it is."""
        return len(self.body.split())


@turbo.input(models.Tag)
class TagInput:
    """A tag by its name."""

    name: auto


@turbo.input(models.Article)
class ArticleInput:
    """A new article, with its tags."""

    title: auto
    body: auto
    author: auto
    tags: strawberry_django.ListInput[TagInput] | None
