"""What each answer must say."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.cases import LIST_LENGTH, Row, articles, author_name

TAGS = 40
MANY = f"a list of {LIST_LENGTH} with author and tags"


def tags_of(article: int) -> list[int]:
    """Return the keys of an article's tags, mostly three."""
    return sorted({(article * step) % TAGS + 1 for step in (1, 7, 11)})


def newest(author: int) -> list[Row]:
    """Return an author's articles, the newest first."""
    theirs = [row for row in articles() if row.author_id == author]
    return sorted(theirs, key=lambda row: row.created, reverse=True)


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


def many(author: int) -> str:
    """Return the answer for an author's newest articles."""
    return json.dumps([whole(row) for row in newest(author)[:LIST_LENGTH]])


def fits(answer: str, expected: str) -> bool:
    """Tell whether an answer says what it must; tags come in any order."""
    return bool(_sorted(json.loads(answer)) == _sorted(json.loads(expected)))


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if isinstance(value, dict):
        tags = {"tags": sorted(value["tags"], key=lambda tag: tag["id"])} if "tags" in value else {}
        return {key: _sorted(item) for key, item in {**value, **tags}.items()}
    return value
