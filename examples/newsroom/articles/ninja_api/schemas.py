"""What goes in and out; what is read here is what the queries fetch."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from ninja import Field, FilterLookup, FilterSchema, ModelSchema, Schema
from turbo_orm_ninja import reads

from ..models import Article, Author, Comment


class AuthorOut(ModelSchema):
    """Who wrote something."""

    class Meta:
        model = Author
        fields = ("id", "name")


class TagOut(Schema):
    """What something is about."""

    name: str


class CommentOut(ModelSchema):
    """A remark on an article, over a generic relation."""

    class Meta:
        model = Comment
        fields = ("author_name", "text", "created_at")


class ArticleOut(Schema):
    """An article in a list."""

    id: int
    title: str
    slug: str
    published_at: datetime.datetime
    author: AuthorOut
    tags: list[TagOut]


class ArticleWhole(ArticleOut):
    """An article by itself."""

    body: str
    metadata: dict[str, Any]
    comments: list[CommentOut]
    others: int

    @staticmethod
    @reads("author_id")
    async def resolve_others(article: Article) -> int:
        """Count what else the author has written."""
        others = Article.objects.filter(author_id=article.author_id).exclude(pk=article.pk)
        return await others.acount()


class Heading(Schema):
    """An article by its name."""

    slug: str
    title: str


class AuthorWhole(AuthorOut):
    """An author with everything that was written."""

    articles: list[Heading]


class ArticleIn(Schema):
    """An article as it is sent in."""

    title: str = Field(min_length=3, max_length=200)
    body: str = ""
    author_id: int
    tags: list[str] = []


class ArticleFilter(FilterSchema):
    """What a list can be narrowed by."""

    tag: Annotated[str | None, FilterLookup("tags__name")] = None
    author: Annotated[str | None, FilterLookup("author__name")] = None
