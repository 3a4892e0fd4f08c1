"""Piccolo's tables: those that Django made."""

from __future__ import annotations

from piccolo.columns import (
    BigSerial,
    Boolean,
    ForeignKey,
    Integer,
    LazyTableReference,
    Serial,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.m2m import M2M
from piccolo.engine.postgres import PostgresEngine
from piccolo.table import Table


class Author(Table, tablename="newsdesk_author"):
    """Writes articles."""

    id = BigSerial(primary_key=True)
    name = Varchar(length=100, unique=True)


class Label(Table, tablename="newsdesk_label"):
    """Says what articles are about."""

    id = BigSerial(primary_key=True)
    name = Varchar(length=50, unique=True)


class Article(Table, tablename="newsdesk_article"):
    """Has the columns of Django's model."""

    id = BigSerial(primary_key=True)
    title = Varchar(length=200)
    is_published = Boolean()
    views = Integer()
    created = Timestamptz()
    author = ForeignKey(Author, db_column_name="author_id")
    labels = M2M(LazyTableReference("ArticleLabel", module_path=__name__))


class ArticleLabel(Table, tablename="newsdesk_article_labels"):
    """Says which article has which label."""

    id = BigSerial(primary_key=True)
    article = ForeignKey(Article, db_column_name="article_id")
    label = ForeignKey(Label, db_column_name="label_id")


class Note(Table, tablename="newsdesk_note"):
    """Is created during a run."""

    id = BigSerial(primary_key=True)
    title = Varchar(length=100, unique=True)
    views = Integer()


class Draft(Table, tablename="newsdesk_draft"):
    """Is deleted during a run."""

    id = BigSerial(primary_key=True)
    title = Varchar(length=100)


class World(Table, tablename="newsdesk_world"):
    """Is updated during a run."""

    id = BigSerial(primary_key=True)
    randomnumber = Integer()


class Nap(Table, tablename="newsdesk_nap"):
    """A view whose one row takes its time."""

    id = Serial(primary_key=True)
    slept = Text()


ALL = (Author, Label, Article, ArticleLabel, Note, Draft, World, Nap)


def bind(engine: PostgresEngine) -> None:
    """Tell each table its engine: it is known only when a run begins."""
    for table in ALL:
        table._meta._db = engine
