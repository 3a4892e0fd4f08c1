"""The rows of the tables, the same in every process and known without a database."""

from __future__ import annotations

import datetime
import random
from functools import cache
from typing import NamedTuple

AUTHORS = 500
ARTICLES = 20_000
LABELS = 30
WORLDS = 10_000
# Worlds up to here are never written, so that what a page says of them is known.
KEPT_WORLDS = 5_000
# A third of an author's forty articles are about each: the four conditions leave about ten rows.
TOPICS = ("council", "harbour", "weather")
# Those of TechEmpower's fortunes test that matter: one to escape, one beyond ASCII.
FORTUNES = (
    "fortune: No such file or directory",
    "A computer scientist is someone who fixes things that aren't broken.",
    "After enough decimal places, nobody gives a damn.",
    "A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1",
    "A computer program does what you tell it to do, not what you want it to do.",
    "Emacs is a nice operating system, but I prefer UNIX.",
    "Any program that runs right is obsolete.",
    "A list is only as strong as its weakest link.",
    "Feature: A bug with seniority.",
    "Computers make very fast, very accurate mistakes.",
    '<script>alert("This should not be displayed in a browser alert box.");</script>',
    "フレームワークのベンチマーク",
)
# How long the one row of the view takes.
NAP_SECONDS = 0.3


class Row(NamedTuple):
    """One article, in the order of its columns."""

    id: int
    title: str
    is_published: bool
    views: int
    created: datetime.datetime
    author_id: int


def author_name(key: int) -> str:
    """Return the name of an author."""
    return f"Author {key:04}"


def label_name(key: int) -> str:
    """Return the name of a label."""
    return f"Label {key:02}"


def labels_of(article: int) -> list[int]:
    """Return the keys of an article's labels: one to three."""
    return sorted({article * factor % LABELS + 1 for factor in (1, 7, 11)})


@cache
def articles() -> list[Row]:
    """Return all articles."""
    chance = random.Random(4)
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    rows = []
    for key in range(1, ARTICLES + 1):
        topic = TOPICS[chance.randrange(len(TOPICS))]
        # Minutes apart, so that an order by date has no ties.
        created = start + datetime.timedelta(minutes=key * 7919 % ARTICLES)
        published, views = chance.random() < 0.8, chance.randrange(10_000)
        title = f"Report {key} on the {topic}"
        rows.append(Row(key, title, published, views, created, key % AUTHORS + 1))
    return rows


def world_number(key: int) -> int:
    """Return the number that a world has at first."""
    return key * 7919 % WORLDS + 1
