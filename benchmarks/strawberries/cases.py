"""What is asked of the servers, what each answer must say, and how much faster it is to be."""

from __future__ import annotations

import base64
import json
from typing import Any

from benchmarks.cases import ARTICLES, AUTHORS, LIST_LENGTH, Row, author_name
from benchmarks.served.cases import Case
from benchmarks.tagged.answers import MANY, newest, tags_of

PATH = "/graphql/"
SELECTED = "filters: {authorId: $author}, ordering: [{created: DESC}]"


def author_of(row: Row) -> dict[str, Any]:
    """Return who wrote an article."""
    return {"id": str(row.author_id), "name": author_name(row.author_id)}


def whole(row: Row) -> dict[str, Any]:
    """Return an article with what is around it."""
    return {
        "id": str(row.id),
        "title": row.title,
        "views": row.views,
        "author": author_of(row),
        "tags": [{"id": str(key), "name": f"tag {key}"} for key in tags_of(row.id)],
    }


def node(row: Row) -> dict[str, Any]:
    """Return an article as a node."""
    key = base64.b64encode(f"ArticleNode:{row.id}".encode()).decode()
    return {"node": {"id": key, "title": row.title, "author": author_of(row)}}


def list_of(author: int) -> str:
    """Return the answer for a list."""
    return json.dumps({"data": {"articles": [whole(row) for row in newest(author)[:LIST_LENGTH]]}})


def connection_of(author: int) -> str:
    """Return the answer for a connection."""
    rows = newest(author)
    page = {
        "totalCount": len(rows),
        "pageInfo": {"hasNextPage": len(rows) > LIST_LENGTH},
        "edges": [node(row) for row in rows[:LIST_LENGTH]],
    }
    return json.dumps({"data": {"connection": page}})


def created(number: int) -> str:
    """Return the answer for a new tag."""
    return json.dumps({"data": {"createTag": {"name": f"new {number}"}}})


def body(query: str, variables: str) -> str:
    """Return what is sent for an operation: as clients do, a document that is always the same.

    Args:
        query: the document.
        variables: as JSON, with a `%d` for the number.
    """
    return f'{{"query": {json.dumps(query)}, "variables": {variables}}}'


LIST = body(
    f"query List($author: ID!) {{ articles({SELECTED}, pagination: {{limit: {LIST_LENGTH}}})"
    " { id title views author { id name } tags { id name } } }",
    '{"author": %d}',
)
CONNECTION = body(
    f"query Page($author: ID!) {{ connection({SELECTED}, first: {LIST_LENGTH})"
    " { totalCount pageInfo { hasNextPage } edges { node { id title author { id name } } } } }",
    '{"author": %d}',
)
MUTATION = body(
    "mutation Create($data: TagInput!) { createTag(data: $data) { name } }",
    '{"data": {"name": "new %d"}}',
)
CASES = {
    case.name: case
    for case in (
        Case("list", MANY, PATH, AUTHORS, False, list_of, 2, LIST),
        Case(
            "connection",
            f"a connection of {LIST_LENGTH} with its count",
            PATH,
            AUTHORS,
            False,
            connection_of,
            1,
            CONNECTION,
        ),
        Case("mutation", "a mutation", PATH, ARTICLES, False, created, 1, MUTATION),
        Case("list-seven", f"{MANY}, the seven", PATH, AUTHORS, True, list_of, None, LIST),
    )
}
