"""Tortoise ORM's models of the tables that Django made."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Author(Model):
    """Writes articles."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100, unique=True)

    class Meta:
        table = "newsdesk_author"


class Article(Model):
    """Has the columns of Django's model."""

    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=200)
    is_published = fields.BooleanField()
    views = fields.IntField()
    created = fields.DatetimeField()
    author: fields.ForeignKeyRelation[Author] = fields.ForeignKeyField("newsdesk.Author")

    class Meta:
        table = "newsdesk_article"
