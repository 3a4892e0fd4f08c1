"""The operations that are timed, and what each must answer or leave in the tables."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .rows import (
    ARTICLES,
    AUTHORS,
    TOPICS,
    WORLDS,
    Row,
    articles,
    author_name,
    label_name,
    labels_of,
)
from .writes import WRITES, Writing

LIST_LENGTH = 20
FOUR_LENGTH = 10
VALUES_LENGTH = 1000
GATHERED = 10
# So many different arguments that no peer gains by remembering values.
ARGUMENTS = 4096
CHECKED = 25


class Case(NamedTuple):
    """An operation, by the name of the method that each peer has for it."""

    name: str
    title: str
    arguments: Callable[[random.Random], tuple[Any, ...]]
    # What it must answer; None where only the tables can tell.
    expected: Callable[..., Any] | None
    # The method of a peer that makes each item of an answer comparable; empty: it is so already.
    read: str = "row"
    writing: Writing | None = None

    @property
    def many(self) -> bool:
        """Tell whether the answer is a list of rows."""
        return self.name not in ("get", "count", "exists")

    def nth(self, number: int) -> tuple[Any, ...]:
        """Return the arguments of the nth operation, counted from 1, of one that writes."""
        assert self.writing is not None
        return self.writing.nth(number)


def newest(views: int) -> list[Row]:
    """Return the newest published articles that were seen that often."""
    found = (row for row in reversed(articles()) if row.is_published and row.views >= views)
    return [row for row, _ in zip(found, range(LIST_LENGTH), strict=False)]


def four_conditions(name: str, views: int, topic: str) -> list[Row]:
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


def seen(author: int, views: int) -> list[Row]:
    """Return an author's articles that were seen that often."""
    return [row for row in articles() if row.author_id == author and row.views >= views]


def values(first: int) -> list[tuple[int, str, int]]:
    """Return three columns of many articles."""
    return [
        (row.id, row.title, row.views) for row in articles()[first - 1 : first - 1 + VALUES_LENGTH]
    ]


def some_views(chance: random.Random) -> tuple[int]:
    """Return a number of views that leaves a full list."""
    return (chance.randrange(5000),)


def author_and_views(chance: random.Random) -> tuple[int, int]:
    """Return an author, and a number of views that few or none of theirs have."""
    return chance.randint(1, AUTHORS), chance.randrange(10_000)


def topic_of_an_author(chance: random.Random) -> tuple[str, int, str]:
    """Return an author's name, a number of views and a topic."""
    return author_name(chance.randint(1, AUTHORS)), chance.randrange(2000), chance.choice(TOPICS)


def several_keys(chance: random.Random) -> tuple[int, ...]:
    """Return the keys of the queries that are gathered."""
    return tuple(chance.randint(1, ARTICLES) for _ in range(GATHERED))


READS = (
    Case(
        "get",
        "one row by primary key",
        lambda chance: (chance.randint(1, ARTICLES),),
        lambda key: [articles()[key - 1]],
    ),
    Case("newest", f"a list of {LIST_LENGTH}, filtered and ordered", some_views, newest),
    Case(
        "joined",
        f"a list of {LIST_LENGTH} with joined authors",
        some_views,
        lambda views: [(row, author_name(row.author_id)) for row in newest(views)],
        "joined_row",
    ),
    Case(
        "labelled",
        f"a list of {LIST_LENGTH} with prefetched labels",
        some_views,
        lambda views: [
            (row, [label_name(label) for label in labels_of(row.id)]) for row in newest(views)
        ],
        "labelled_row",
    ),
    Case(
        "four_conditions",
        f"four conditions, a join, the first {FOUR_LENGTH}",
        topic_of_an_author,
        four_conditions,
    ),
    Case("count", "count", author_and_views, lambda *given: [len(seen(*given))], ""),
    Case("exists", "exists", author_and_views, lambda *given: [bool(seen(*given))], ""),
    Case(
        "values_list",
        f"three columns of {VALUES_LENGTH:,} rows",
        lambda chance: (chance.randint(1, ARTICLES - VALUES_LENGTH),),
        values,
        "values_row",
    ),
    Case(
        "gathered",
        f"{GATHERED} queries gathered",
        several_keys,
        lambda *keys: [articles()[key - 1] for key in keys],
    ),
)
# One that only shows how time grows with rows; its argument is their number.
LISTING = Case(
    "listing",
    "a list of so many rows",
    lambda chance: (chance.randint(1, 50),),
    lambda length: articles()[:length],
)
CASES = {
    case.name: case
    for case in (
        *READS[:-1],
        *(Case(each.name, each.title, lambda _: (), None, "", each) for each in WRITES),
        READS[-1],
    )
}
ALL_CASES = {**CASES, LISTING.name: LISTING}


def many_arguments(case: Case) -> Sequence[tuple[Any, ...]]:
    """Return the arguments of many operations that read, the same in every process."""
    chance = random.Random(case.name)
    return [case.arguments(chance) for _ in range(ARGUMENTS)]


__all__ = [
    "ALL_CASES",
    "ARTICLES",
    "AUTHORS",
    "CASES",
    "CHECKED",
    "FOUR_LENGTH",
    "LIST_LENGTH",
    "VALUES_LENGTH",
    "WORLDS",
    "Case",
    "Row",
    "articles",
    "author_name",
    "many_arguments",
]
