"""What is asked of the servers, what each answer must say, and how much faster it is to be."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.cases import ARTICLES, AUTHORS, LIST_LENGTH, Row, articles, author_name
from benchmarks.served.cases import Case

TAGS = 40


def tags_of(article: int) -> list[int]:
    """Return the keys of an article's tags, mostly three."""
    return sorted({(article * step) % TAGS + 1 for step in (1, 7, 11)})


def plain(row: Row) -> dict[str, Any]:
    """Return a row by itself."""
    created = row.created.isoformat().replace("+00:00", "Z")
    return {"id": row.id, "title": row.title, "views": row.views, "created": created}


def whole(row: Row) -> dict[str, Any]:
    """Return a row with what is around it."""
    return {
        **plain(row),
        "author": {"id": row.author_id, "name": author_name(row.author_id)},
        "tags": [{"id": key, "name": f"tag {key}"} for key in tags_of(row.id)],
    }


def one(key: int) -> str:
    """Return the answer for one article."""
    return json.dumps(plain(articles()[key - 1]))


def newest(author: int) -> str:
    """Return the answer for an author's newest articles."""
    theirs = [row for row in articles() if row.author_id == author]
    rows = sorted(theirs, key=lambda row: row.created, reverse=True)[:LIST_LENGTH]
    return json.dumps([whole(row) for row in rows])


ONE, LIST = "/article/%d", "/author/%d"
MANY = f"a list of {LIST_LENGTH} with author and tags"
CASES = {
    case.name: case
    for case in (
        Case("one", "one row", ONE, ARTICLES, False, one, 3),
        Case("list", MANY, LIST, AUTHORS, False, newest, 2),
        Case("one-seven", "one row, the seven default middleware", ONE, ARTICLES, True, one),
        Case("list-seven", f"{MANY}, the seven", LIST, AUTHORS, True, newest),
    )
}


def same(answer: str, expected: str) -> bool:
    """Tell whether an answer says what it must; tags come in any order."""
    return _sorted(json.loads(answer)) == _sorted(json.loads(expected))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if "tags" in value:
        return {**value, "tags": sorted(value["tags"], key=lambda tag: tag["id"])}
    return value
