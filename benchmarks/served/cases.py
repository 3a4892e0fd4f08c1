"""What is asked of the servers, what each page must say, and how much faster it is to be."""

from __future__ import annotations

import html
import json
import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

from benchmarks.cases import ARTICLES, AUTHORS, LIST_LENGTH, articles
from benchmarks.rows import FORTUNES, KEPT_WORLDS, world_number

from .keys import BLOCKS, PER_PAGE, read_keys, written_keys

# More than any run asks for.
ENDLESS = 10**9


class Case(NamedTuple):
    """One kind of page, with as many paths as make remembering them useless."""

    name: str
    title: str
    path: str
    # How many numbers the path can be filled with, from one on.
    numbers: int
    middleware: bool
    page: Callable[[int], str]
    goal: float | None = None
    # What is sent as JSON, with a number in it: one of `numbers`, or if that is 1, another in each
    # request. None asks by GET.
    body: str | None = None

    def any_number(self, chance: random.Random) -> int:
        """Return a number to fill in."""
        # No two rounds of checks write the same.
        alike = self.body is None or self.numbers > 1
        return chance.randint(1, self.numbers if alike else ENDLESS)

    def request(self, number: int) -> tuple[str, str | None]:
        """Return the path, and what is sent to it, with a number filled in."""
        if self.body is not None:
            return self.path, self.body % number
        return self.path % number if "%" in self.path else self.path, None


def article_page(key: int) -> str:
    """Return what the page of an article says."""
    return f"{key}: {articles()[key - 1].title}"


def author_page(author: int) -> str:
    """Return what the page of an author says."""
    theirs = [row for row in articles() if row.author_id == author]
    newest = sorted(theirs, key=lambda row: row.created, reverse=True)[:LIST_LENGTH]
    lines = [f'<li id="{row.id}">{row.title}, {row.created:%Y-%m-%d}</li>\n' for row in newest]
    return f"<!doctype html>\n<title>Articles of an author</title>\n<ul>\n{''.join(lines)}</ul>\n"


def world_page(key: int) -> str:
    """Return what the page of a world says."""
    return json.dumps({"id": key, "randomNumber": world_number(key)})


def worlds_page(keys: Iterable[int]) -> str:
    """Return what the page of many worlds says."""
    return f"[{', '.join(world_page(key) for key in keys)}]"


def fortunes_page(number: int) -> str:
    """Return what the page of fortunes says."""
    rows = [*enumerate(FORTUNES, 1), (0, "Additional fortune added at request time.")]
    lines = [
        f"<tr><td>{key}</td><td>{html.escape(message)}</td></tr>\n"
        for key, message in sorted(rows, key=lambda row: row[1])
    ]
    return (
        "<!doctype html>\n<html><head><title>Fortunes</title></head><body><table>\n"
        f"<tr><th>id</th><th>message</th></tr>\n{''.join(lines)}</table></body></html>\n"
    )


# What TechEmpower's benchmarks measure, and a page of a site that people log in to.
USUAL = ("single", "queries", "fortunes", "updates", "session")
CASES = {
    case.name: case
    for case in (
        Case("single", "one query", "/single/%d/", KEPT_WORLDS, False, world_page),
        Case(
            "queries",
            f"{PER_PAGE} queries",
            "/queries/%d/",
            KEPT_WORLDS,
            False,
            lambda number: worlds_page(read_keys(number)),
        ),
        Case("fortunes", "fortunes, by a template", "/fortunes/", 1, False, fortunes_page),
        Case(
            "updates",
            f"{PER_PAGE} queries and updates",
            "/updates/%d/",
            BLOCKS,
            False,
            # Which numbers they get is seen only in the answer.
            lambda number: json.dumps(written_keys(number)),
        ),
        Case(
            "session",
            "logged in, the seven default middleware",
            "/account/",
            1,
            True,
            lambda _: "logged in: reader",
            5,
        ),
        Case("empty", "empty view, no middleware", "/empty/", 1, False, lambda _: "empty"),
        Case(
            "middleware",
            "empty view, the seven default middleware",
            "/empty/",
            1,
            True,
            lambda _: "empty",
            10,
        ),
        Case(
            "get",
            "`aget()` by primary key, no middleware",
            "/article/%d/",
            ARTICLES,
            False,
            article_page,
            3,
        ),
        Case(
            "list",
            f"a list of {LIST_LENGTH} by a template, no middleware",
            "/author/%d/",
            AUTHORS,
            False,
            author_page,
        ),
    )
}
