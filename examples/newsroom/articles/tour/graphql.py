"""The GraphQL endpoint, called with every thread forbidden."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.test import AsyncClient

from turbo_orm import run_sync
from turbo_orm_strawberry.test import AsyncTestClient

from ..models import Article, Author, Tag
from ..preparation import demo_user
from .pages import no_hops
from .report import Step, expect

PATH = "/graphql/"
FIVE = """
    query Newest($first: Int!) {
      articles(first: $first, ordering: [{publishedAt: DESC}]) {
        totalCount
        pageInfo { hasNextPage endCursor }
        edges { node { title slug author { name } tags { name } comments { text } } }
      }
    }
"""
CREATE = """
    mutation Create($data: ArticleInput!) {
      createArticle(data: $data) {
        ... on Article { slug author { name } tags { name } }
        ... on OperationInfo { messages { field message } }
      }
    }
"""
RETAG = """
    mutation Retag($slug: String!, $tags: [String!]!) {
      retag(slug: $slug, tags: $tags) { tags { name } }
    }
"""


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Keep what Strawberry logs of refused operations out of the report."""
    logger = logging.getLogger("strawberry.execution")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


async def asked(query: str, **variables: Any) -> Any:
    """Execute an operation that has no errors, and return its data."""
    return (await answer(AsyncTestClient(PATH), query, **variables)).data


async def answer(client: AsyncTestClient, query: str, **variables: Any) -> Any:
    """Execute an operation, and return data and errors."""
    with no_hops():
        return await client.query(query, variables, assert_no_errors=False)


async def connection_page() -> str:
    """Read a page of a connection, with what is around its articles."""
    page = (await asked(FIVE, first=5))["articles"]
    expect("articles", len(page["edges"]), 5)
    expect("more", page["pageInfo"]["hasNextPage"], True)
    expect("authors", all(edge["node"]["author"]["name"] for edge in page["edges"]), True)
    return f"5 of {page['totalCount']} articles with author, tags and comments"


async def side_by_side() -> str:
    """Read three things at once, each on a connection of its own."""
    slug = (await Article.objects.published().afirst()).slug  # type: ignore[union-attr]
    found = await asked(
        "query Three($slug: String!) { authors { name } article(slug: $slug) { words }"
        " articles { totalCount } }",
        slug=slug,
    )
    expect("authors", len(found["authors"]), await Author.objects.acount())
    return (
        f"{len(found['authors'])} authors, an article of {found['article']['words']} words, a count"
    )


async def mutation() -> str:
    """Sign in, add an article with new tags, change them."""
    ada = await Author.objects.aget(name="Ada")
    data = {"title": "By GraphQL", "body": "Short.", "author": {"set": ada.pk}}
    data["tags"] = {"add": [{"name": "graphql"}]}
    name, _ = await run_sync(demo_user)
    user = await get_user_model()._default_manager.aget(username=name)
    client = AsyncTestClient(PATH)
    with refusals():
        refused = await answer(client, RETAG, slug="x", tags=[])
    async with client.login(user):
        made = (await answer(client, CREATE, data=data)).data["createArticle"]
        changed = await answer(client, RETAG, slug=made["slug"], tags=["api"])
    expect("refused", refused.errors[0]["message"], "User is not authenticated.")
    expect("made", (made["author"], made["tags"]), ({"name": "Ada"}, [{"name": "graphql"}]))
    expect("changed", changed.data, {"retag": {"tags": [{"name": "api"}]}})
    await Article.objects.filter(slug=made["slug"]).adelete()
    await Tag.objects.filter(name="graphql").adelete()
    return "refused to strangers; an article with a tag in one transaction, then another tag"


async def guarded() -> str:
    """Ask for too much."""
    with refusals():
        refused = await answer(AsyncTestClient(PATH), FIVE, first=100_000)
    message = str(refused.errors[0]["message"])
    expect("refused", "may have 100 nodes" in message, True)
    return message


async def graphiql() -> str:
    """Open the page on which one writes operations."""
    with no_hops():
        page = await AsyncClient().get(PATH, ACCEPT="text/html")
    expect("page", (page.status_code, "GraphiQL" in page.content.decode()), (200, True))
    return f"{len(page.content):,} bytes at {PATH}"


STEPS = [
    Step("A page of a connection", connection_page),
    Step("Fields side by side", side_by_side),
    Step("Mutations", mutation),
    Step("A page that is too large", guarded),
    Step("GraphiQL", graphiql),
]
