"""One schema for all systems; Turbo ORM's has one extension more."""

from __future__ import annotations

from typing import Any

import strawberry_django
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import DjangoListConnection

import strawberry
from benchmarks.newsdesk import models
from benchmarks.tagged.models import Tag
from strawberry import auto, relay


@strawberry_django.type(models.Author)
class AuthorType:
    """Who wrote it."""

    id: auto
    name: auto


@strawberry_django.type(Tag)
class TagType:
    """What it is about."""

    id: auto
    name: auto


@strawberry_django.filter_type(models.Article)
class ArticleFilter:
    """Which articles."""

    author_id: auto


@strawberry_django.order_type(models.Article)
class ArticleOrder:
    """In which order."""

    created: auto


@strawberry_django.type(
    models.Article, filters=ArticleFilter, ordering=ArticleOrder, pagination=True
)
class ArticleType:
    """An article with what is around it."""

    id: auto
    title: auto
    views: auto
    author: AuthorType
    tags: list[TagType]


@strawberry_django.type(
    models.Article, filters=ArticleFilter, ordering=ArticleOrder, name="ArticleNode"
)
class ArticleNode(relay.Node):
    """The same for a connection."""

    title: auto
    author: AuthorType


@strawberry_django.input(Tag)
class TagInput:
    """A new tag."""

    name: auto


@strawberry.type
class Query:
    """What is read."""

    articles: list[ArticleType] = strawberry_django.field()
    connection: DjangoListConnection[ArticleNode] = strawberry_django.connection()


@strawberry.type
class Mutation:
    """What is written."""

    create_tag: TagType = strawberry_django.mutations.create(TagInput)


def schema(*extensions: Any) -> strawberry.Schema:
    """Return the schema with the optimizer and with these extensions."""
    return strawberry.Schema(Query, Mutation, extensions=[DjangoOptimizerExtension, *extensions])
