"""SQLAlchemy's models of the tables that Django made."""

from __future__ import annotations

import datetime

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Knows all models."""


ARTICLE_LABELS = Table(
    "newsdesk_article_labels",
    Base.metadata,
    Column("article_id", ForeignKey("newsdesk_article.id")),
    Column("label_id", ForeignKey("newsdesk_label.id")),
)


class Author(Base):
    """Writes articles."""

    __tablename__ = "newsdesk_author"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)


class Label(Base):
    """Says what articles are about."""

    __tablename__ = "newsdesk_label"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


class Article(Base):
    """Has the columns of Django's model."""

    __tablename__ = "newsdesk_article"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    is_published: Mapped[bool]
    views: Mapped[int]
    created: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    author_id: Mapped[int] = mapped_column(ForeignKey("newsdesk_author.id"))
    author: Mapped[Author] = relationship(lazy="raise")
    labels: Mapped[list[Label]] = relationship(secondary=ARTICLE_LABELS, lazy="raise")


class Note(Base):
    """Is created during a run."""

    __tablename__ = "newsdesk_note"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(String(100), unique=True)
    views: Mapped[int]


class Draft(Base):
    """Is deleted during a run."""

    __tablename__ = "newsdesk_draft"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    title: Mapped[str] = mapped_column(String(100))


class World(Base):
    """Is updated during a run."""

    __tablename__ = "newsdesk_world"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    randomnumber: Mapped[int]


class Fortune(Base):
    """Is shown on a page."""

    __tablename__ = "newsdesk_fortune"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message: Mapped[str] = mapped_column(String(2048))


class Nap(Base):
    """A view whose one row takes its time."""

    __tablename__ = "newsdesk_nap"

    id: Mapped[int] = mapped_column(primary_key=True)
    slept: Mapped[str]
