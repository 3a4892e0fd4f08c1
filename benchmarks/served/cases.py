"""What is asked of the servers, what each page must say, and how much faster it is to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.cases import ARTICLES, AUTHORS, LIST_LENGTH, articles


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


def article_page(key: int) -> str:
    """Return what the page of an article says."""
    return f"{key}: {articles()[key - 1].title}"


def author_page(author: int) -> str:
    """Return what the page of an author says."""
    theirs = [row for row in articles() if row.author_id == author]
    newest = sorted(theirs, key=lambda row: row.created, reverse=True)[:LIST_LENGTH]
    lines = [f'<li id="{row.id}">{row.title}, {row.created:%Y-%m-%d}</li>\n' for row in newest]
    return f"<!doctype html>\n<title>Articles of an author</title>\n<ul>\n{''.join(lines)}</ul>\n"


CASES = {
    case.name: case
    for case in (
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
        Case(
            "session",
            "logged in, the seven default middleware",
            "/account/",
            1,
            True,
            lambda _: "logged in: reader",
            5,
        ),
    )
}
