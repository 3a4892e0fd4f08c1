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


class Label(Model):
    """Says what articles are about."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=50, unique=True)

    class Meta:
        table = "newsdesk_label"


class Article(Model):
    """Has the columns of Django's model."""

    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=200)
    is_published = fields.BooleanField()
    views = fields.IntField()
    created = fields.DatetimeField()
    author: fields.ForeignKeyRelation[Author] = fields.ForeignKeyField("newsdesk.Author")
    labels: fields.ManyToManyRelation[Label] = fields.ManyToManyField(
        "newsdesk.Label",
        through="newsdesk_article_labels",
        forward_key="label_id",
        backward_key="article_id",
    )

    class Meta:
        table = "newsdesk_article"


class Note(Model):
    """Is created during a run."""

    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=100, unique=True)
    views = fields.IntField()

    class Meta:
        table = "newsdesk_note"


class Draft(Model):
    """Is deleted during a run."""

    id = fields.BigIntField(primary_key=True)
    title = fields.CharField(max_length=100)

    class Meta:
        table = "newsdesk_draft"


class World(Model):
    """Is updated during a run."""

    id = fields.BigIntField(primary_key=True)
    randomnumber = fields.IntField()

    class Meta:
        table = "newsdesk_world"


class Nap(Model):
    """A view whose one row takes its time."""

    id = fields.IntField(primary_key=True)
    slept = fields.TextField()

    class Meta:
        table = "newsdesk_nap"
