"""The rows, the operations that are timed, and what each must answer: known without a database."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

AUTHORS = 500
ARTICLES = 20_000
# A third of an author's forty articles are about each: the four conditions leave about ten rows.
TOPICS = ("council", "harbour", "weather")
LIST_LENGTH = 20
FOUR_LENGTH = 10
# So many different arguments that no peer gains by remembering values.
ARGUMENTS = 4096
CHECKED = 25


class Row(NamedTuple):
    """One article, in the order of its columns."""

    id: int
    title: str
    is_published: bool
    views: int
    created: datetime.datetime
    author_id: int


class Case(NamedTuple):
    """An operation, by the name of the method that each peer has for it."""

    name: str
    title: str
    arguments: Callable[[random.Random], tuple[Any, ...]]
    expected: Callable[..., list[Row]]


def author_name(key: int) -> str:
    """Return the name of an author."""
    return f"Author {key:04}"


@cache
def articles() -> list[Row]:
    """Return all articles, the same in every process."""
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


def expected_get(key: int) -> list[Row]:
    """Return the article of a primary key."""
    return [articles()[key - 1]]


def expected_newest(views: int) -> list[Row]:
    """Return the newest published articles that were seen that often."""
    found = (row for row in reversed(articles()) if row.is_published and row.views >= views)
    return [row for row, _ in zip(found, range(LIST_LENGTH), strict=False)]


def expected_four_conditions(name: str, views: int, topic: str) -> list[Row]:
    """Return an author's newest published articles on a topic that were seen that often."""
    found = [
        row
        for row in articles()
        if author_name(row.author_id) == name
        and row.is_published
        and row.views >= views
        and topic in row.title
    ]
    return sorted(found, key=lambda row: row.created, reverse=True)[:FOUR_LENGTH]


CASES = {
    case.name: case
    for case in (
        Case(
            "get",
            "aget() by primary key",
            lambda chance: (chance.randint(1, ARTICLES),),
            expected_get,
        ),
        Case(
            "newest",
            f"a list of {LIST_LENGTH}, two conditions, ordered",
            lambda chance: (chance.randrange(5000),),
            expected_newest,
        ),
        Case(
            "four_conditions",
            f"four conditions, a join, the first {FOUR_LENGTH}",
            lambda chance: (
                author_name(chance.randint(1, AUTHORS)),
                chance.randrange(2000),
                chance.choice(TOPICS),
            ),
            expected_four_conditions,
        ),
    )
}


def many_arguments(case: Case) -> list[tuple[Any, ...]]:
    """Return the arguments of many operations, the same in every process."""
    chance = random.Random(case.name)
    return [case.arguments(chance) for _ in range(ARGUMENTS)]
