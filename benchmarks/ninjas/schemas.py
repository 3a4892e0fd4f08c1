"""What all three APIs answer with."""

import datetime

from ninja import Schema


class AuthorOut(Schema):
    """Who wrote it."""

    id: int
    name: str


class TagOut(Schema):
    """What it is about."""

    id: int
    name: str


class ArticleOut(Schema):
    """An article with what is around it."""

    id: int
    title: str
    views: int
    created: datetime.datetime
    author: AuthorOut
    tags: list[TagOut]


class Plain(Schema):
    """A row by itself."""

    id: int
    title: str
    views: int
    created: datetime.datetime
