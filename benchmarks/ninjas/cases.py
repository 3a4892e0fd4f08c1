"""What is asked of the servers, and how much faster it is to be."""

from __future__ import annotations

from benchmarks.cases import ARTICLES, AUTHORS
from benchmarks.served.cases import Case
from benchmarks.tagged.answers import MANY, many, one

ONE, LIST = "/article/%d", "/author/%d"
CASES = {
    case.name: case
    for case in (
        Case("one", "one row", ONE, ARTICLES, False, one, 3),
        Case("list", MANY, LIST, AUTHORS, False, many, 2),
        Case("one-seven", "one row, the seven default middleware", ONE, ARTICLES, True, one),
        Case("list-seven", f"{MANY}, the seven", LIST, AUTHORS, True, many),
    )
}
