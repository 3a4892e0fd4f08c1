"""What is asked of the servers, what a new story must say, and how much faster it is to be."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.cases import ARTICLES, AUTHORS
from benchmarks.served.cases import Case
from benchmarks.tagged import answers
from benchmarks.tagged.answers import MANY, many, one

ONE, LIST, STORIES = "/article/%d/", "/author/%d/", "/stories/"
NEW = '{"title": "Story %d", "author": 7, "tags": [3, 5, 8]}'


def created(number: int) -> str:
    """Return what a new story is answered with, but for its key."""
    return NEW % number


CASES = {
    case.name: case
    for case in (
        Case("retrieve", "retrieve", ONE, ARTICLES, False, one, 2.5),
        Case("list", MANY, LIST, AUTHORS, False, many, 1),
        Case(
            "create",
            "create with a UniqueValidator and tags",
            STORIES,
            1,
            False,
            created,
            1,
            NEW,
        ),
        Case("retrieve-seven", "retrieve, the seven default middleware", ONE, ARTICLES, True, one),
    )
}


def fits(answer: str, expected: str) -> bool:
    """Tell whether an answer says what it must; tags come in any order, and any key is new."""
    if "Story" not in expected:
        return answers.fits(answer, expected)
    found: Any = json.loads(answer)
    key = found.pop("id")
    found["tags"] = sorted(found["tags"])
    return isinstance(key, int) and bool(found == json.loads(expected))
