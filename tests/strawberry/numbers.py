"""Everything that a client can send where a number is expected, in every place for one."""

import math
from typing import Any

from strawberry.relay.utils import to_base64

from tests.strawberry.cases import Case

NUMBERS: dict[str, Any] = {
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "2**31 - 1": 2**31 - 1,
    "2**31": 2**31,
    "-2**31 - 1": -(2**31) - 1,
    "2**63": 2**63,
    "10**30": 10**30,
    "5,000 digits": "9" * 5000,
    "a half": 1.5,
    "a whole float": 2.0,
    "a large float": 1e300,
    "NaN": math.nan,
    "infinity": math.inf,
    "empty": "",
    "a space": " ",
    "digits": "2",
    "digits and spaces": " 2 ",
    "digits of Unicode": "２",  # noqa: RUF001
    "Arabic digits": "٢",
    "a superscript": "²",
    "underscores": "1_0",
    "a sign": "+2",
    "letters": "abc",
    "a zero byte": "\x00",
    "a surrogate": "\ud800",
    "true": True,
    "null": None,
    "a list": [1],
    "an empty list": [],
    "an object": {},
}

EDGES = "{ PAGE edges { cursor node { title } } }"
# What is asked, with a variable of a type.
PLACES = {
    "an argument": ("Int!", "{ custom(age: $v) { name } }"),
    "a limit": ("Int", "{ articles(pagination: {limit: $v}) { title } }"),
    "an offset": ("Int!", "{ articles(pagination: {offset: $v}) { title } }"),
    "both": ("Int!", "{ articles(pagination: {offset: $v, limit: $v}) { title } }"),
    "a nested limit": ("Int", "{ authors { name articles(pagination: {limit: $v}) { title } } }"),
    "a nested offset": (
        "Int!",
        "{ authors { name articles(pagination: {offset: $v, limit: 1}) { title } } }",
    ),
    "the limit of a page": (
        "Int",
        (
            "{ paginated(pagination: {limit: $v}) { totalCount pageInfo { offset limit }"
            " results { title } } }"
        ),
    ),
    "the offset of a page": (
        "Int!",
        (
            "{ paginated(pagination: {offset: $v}) { totalCount pageInfo { offset limit }"
            " results { title } } }"
        ),
    ),
    "first": ("Int", f"{{ articleConnection(first: $v) {EDGES} }}"),
    "last": ("Int", f"{{ articleConnection(last: $v) {EDGES} }}"),
    "after": ("String", f"{{ articleConnection(after: $v) {EDGES} }}"),
    "before": ("String", f"{{ articleConnection(before: $v) {EDGES} }}"),
    "first and before": ("String", f"{{ articleConnection(first: 2, before: $v) {EDGES} }}"),
    "last and before": ("String", f"{{ articleConnection(last: 2, before: $v) {EDGES} }}"),
    "nested first": (
        "Int",
        (
            "{ authorConnection { edges { node { name articles(first: $v) { totalCount"
            " edges { node { title } } } } } } }"
        ),
    ),
    "nested after": (
        "String",
        (
            "{ authorConnection { edges { node { name articles(after: $v) { totalCount"
            " edges { node { title } } } } } } }"
        ),
    ),
    "first of cursors": ("Int", f"{{ articleCursors(first: $v) {EDGES} }}"),
    "last of cursors": ("Int", f"{{ articleCursors(last: $v) {EDGES} }}"),
    "after of cursors": ("String", f"{{ articleCursors(after: $v) {EDGES} }}"),
    "a key": ("ID!", "{ article(pk: $v) { title author { name } } }"),
    "a key that may be missing": ("ID!", "{ articleOrNone(pk: $v) { title } }"),
    "a global id": ("ID!", "{ node(id: $v) { id } }"),
    "global ids": ("[ID!]!", "{ nodes(ids: $v) { id } }"),
    "a filter": ("Int", "{ articles(filters: {views: {exact: $v}}) { title } }"),
    "a filter of a range": ("Int", "{ articles(filters: {views: {gte: $v}}) { title } }"),
    "a filter of a list": ("[Int!]", "{ articles(filters: {views: {inList: $v}}) { title } }"),
    "a filter of a key": (
        "ID",
        "{ articles(filters: {author: {id: {exact: $v}}}) { title author { name } } }",
    ),
    "a filter of keys": ("[ID!]", "{ authors(filters: {id: {inList: $v}}) { name } }"),
    "an input": (
        "Int",
        "{ customConnection(minimum: 0, first: $v) { edges { node { title } } } }",
    ),
}
# What cursors and global ids look like when the number is inside.
WRAPPED = {
    "after": "arrayconnection",
    "before": "arrayconnection",
    "first and before": "arrayconnection",
    "last and before": "arrayconnection",
    "nested after": "arrayconnection",
    "after of cursors": "orderedcursor",
    "a global id": "AuthorNode",
    "global ids": "AuthorNode",
}


def _cases() -> dict[str, Case]:
    found = {}
    for place, (kind, selection) in PLACES.items():
        for name, value in NUMBERS.items():
            document = f"query Q($v: {kind}) {selection}"
            given = [value] if kind.startswith("[") and not isinstance(value, list) else value
            found[f"{place}: {name}"] = Case(document, {"v": given})
            prefix = WRAPPED.get(place)
            if prefix is not None and name != "a surrogate":
                inside = to_base64(prefix, str(value))
                given = [inside] if kind.startswith("[") else inside
                # PostgreSQL refuses one field of several, the first that it is asked for.
                is_refused = place.startswith("nested") and name in {"2**63", "10**30"}
                found[f"{place}: {name}, wrapped"] = Case(
                    document, {"v": given}, ends_early=is_refused
                )
            literal = _literal(value)
            if literal is not None:
                written = selection.replace("$v", literal)
                found[f"{place}: {name}, as a literal"] = Case(written)
    return found


def _literal(value: Any) -> str | None:
    """Return what stands for a value in a document, None if nothing does."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "1e999"
    if isinstance(value, str) and value.isascii() and value.isdigit():
        # Also without quotation marks: a number of many digits.
        return value
    return None


CASES = _cases()
