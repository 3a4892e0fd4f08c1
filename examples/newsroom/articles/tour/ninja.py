"""The API by Django Ninja, called with every thread forbidden."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.test import AsyncClient

from turbo_orm import run_sync

from ..models import Article, Author
from ..preparation import demo_user
from .pages import no_hops
from .report import Step, expect

ROOT = "/api/ninja"


async def listed() -> str:
    """Read a page of articles, by author, in another order."""
    with no_hops():
        answer = await AsyncClient().get(f"{ROOT}/articles/?limit=20&order_by=title&search=a")
    expect("status", answer.status_code, 200)
    page = answer.json()
    expect("rows", len(page["items"]), 20)
    expect("each has an author", all(row["author"]["name"] for row in page["items"]), True)
    return f"20 of {page['count']} articles, author and tags with them"


async def crud() -> str:
    """Sign in; add, read, change and delete an article."""
    browser = await _signed_in()
    ada = await Author.objects.aget(name="Ada")
    new = {"title": "By the API", "author_id": ada.pk, "tags": ["api", "news"]}
    with no_hops(), expected_refusals():
        refused = await AsyncClient().post(f"{ROOT}/articles/", **_json(new))
        made = await browser.post(f"{ROOT}/articles/", **_json(new))
        slug = made.json()["slug"]
        changed = await browser.put(
            f"{ROOT}/articles/{slug}", **_json({**new, "title": "Changed", "tags": []})
        )
        gone = await browser.delete(f"{ROOT}/articles/{slug}")
        missing = await AsyncClient().get(f"{ROOT}/articles/{slug}")
    statuses = [answer.status_code for answer in (refused, made, changed, gone, missing)]
    expect("statuses", statuses, [401, 201, 200, 204, 404])
    expect("tags", [tag["name"] for tag in made.json()["tags"]], ["api", "news"])
    expect("title", changed.json()["title"], "Changed")
    return "401 for strangers; added, changed, deleted, 404 afterwards"


@contextlib.contextmanager
def expected_refusals() -> Iterator[None]:
    """Keep what Django logs of refused requests out of the report."""
    logger = logging.getLogger("django.request")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


async def _signed_in() -> AsyncClient:
    browser = AsyncClient()
    name, _ = await run_sync(demo_user)
    user = await get_user_model()._default_manager.aget(username=name)
    await run_sync(browser.force_login, user)
    return browser


def _json(data: Any) -> dict[str, Any]:
    return {"data": json.dumps(data), "content_type": "application/json"}


async def exported() -> str:
    """Read every article, line by line."""
    with no_hops():
        answer: Any = await AsyncClient().get(f"{ROOT}/articles/export")
        lines = b"".join([piece async for piece in answer.streaming_content]).splitlines()
    expect("lines", len(lines), await Article.objects.acount())
    return f"{len(lines)} lines of JSON"


async def documented() -> str:
    """Open the interactive documentation, and what it is made of."""
    with no_hops():
        page = await AsyncClient().get(f"{ROOT}/docs")
        document = await AsyncClient().get(f"{ROOT}/openapi.json")
    expect("statuses", [page.status_code, document.status_code], [200, 200])
    return f"{len(document.json()['paths'])} paths in {ROOT}/docs"


STEPS = [
    Step("A page of articles", listed),
    Step("An article's whole life", crud),
    Step("A stream of all articles", exported),
    Step("The documentation", documented),
]
