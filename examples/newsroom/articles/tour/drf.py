"""The API by Django REST framework, called with every thread forbidden."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model

from turbo_orm import run_sync
from turbo_orm_drf.test import AsyncAPIClient

from ..models import Article, Author, Tag
from ..preparation import demo_user
from .ninja import expected_refusals
from .pages import no_hops
from .report import Step, expect

ROOT = "/api/drf"


async def listed() -> str:
    """Read a page of articles, searched and in another order."""
    with no_hops():
        answer = await AsyncAPIClient().get(
            f"{ROOT}/articles/", {"search": "harbour", "ordering": "title"}
        )
    expect("status", answer.status_code, 200)
    page = answer.json()
    expect("rows", len(page["results"]), 20)
    expect("each has an author", all(row["author"]["name"] for row in page["results"]), True)
    return f"20 of {page['count']} articles, author and tags with them"


async def crud() -> str:
    """Sign in; add, read, change and delete an article."""
    editor = await _signed_in()
    ada = await Author.objects.aget(name="Ada")
    tag = await Tag.objects.aget(name="science")
    new = {"title": "By the viewset", "author_id": ada.pk, "tags": [tag.name]}
    with no_hops(), expected_refusals():
        refused = await AsyncAPIClient().post(f"{ROOT}/articles/", new, format="json")
        made = await editor.post(f"{ROOT}/articles/", new, format="json")
        address = f"{ROOT}/articles/{made.json()['slug']}/"
        changed = await editor.patch(address, {"title": "Changed"}, format="json")
        read = await AsyncAPIClient().get(address)
        gone = await editor.delete(address)
        missing = await AsyncAPIClient().get(address)
    statuses = [answer.status_code for answer in (refused, made, changed, read, gone, missing)]
    expect("statuses", statuses, [403, 201, 200, 200, 204, 404])
    expect("tags", made.json()["tags"], ["science"])
    expect("title", read.json()["title"], "Changed")
    return "403 for strangers; added, changed, deleted, 404 afterwards"


async def invalid() -> str:
    """Send in what is not valid."""
    editor = await _signed_in()
    with no_hops(), expected_refusals():
        answer = await editor.post(
            f"{ROOT}/articles/", {"title": "", "author_id": 0, "tags": ["none"]}, format="json"
        )
    expect("status", answer.status_code, 400)
    expect("errors", sorted(answer.json()), ["author_id", "tags", "title"])
    return "three fields are refused, each with its reason"


async def actions() -> str:
    """Call an asynchronous action and a synchronous one."""
    tagged = Article.objects.published().filter(tags__name="science")
    slug = (await tagged.alatest("published_at")).slug
    with no_hops():
        related = await AsyncAPIClient().get(f"{ROOT}/articles/{slug}/related/")
        busiest = await AsyncAPIClient().get(f"{ROOT}/authors/busiest/")
    expect("statuses", [related.status_code, busiest.status_code], [200, 200])
    expect("lengths", [len(related.json()), len(busiest.json())], [5, 5])
    first = busiest.json()[0]
    return f"{first['name']} wrote {first['written']} articles"


async def exported() -> str:
    """Read every article, line by line."""
    with no_hops():
        answer: Any = await AsyncAPIClient().get(f"{ROOT}/articles/", {"format": "jsonl"})
        pieces = [piece async for piece in answer.streaming_content]
    lines = [json.loads(line) for line in b"".join(pieces).splitlines()]
    expect("lines", len(lines), await Article.objects.published().acount())
    return f"{len(lines)} lines of JSON in {len(pieces)} pieces"


async def browsed() -> str:
    """Open the browsable API, forms and all."""
    editor = await _signed_in()
    with no_hops():
        page = await editor.get(f"{ROOT}/articles/", HTTP_ACCEPT="text/html")
    expect("status", page.status_code, 200)
    html = page.content.decode()
    expect("it has a form", 'name="author_id"' in html and "science" in html, True)
    return f"{len(html) // 1000} KB of HTML, its choices from the database"


async def _signed_in() -> AsyncAPIClient:
    editor = AsyncAPIClient()
    name, _ = await run_sync(demo_user)
    editor.force_authenticate(await get_user_model()._default_manager.aget(username=name))
    return editor


STEPS = [
    Step("A page of articles", listed),
    Step("An article's whole life", crud),
    Step("What is not valid", invalid),
    Step("Actions of both kinds", actions),
    Step("A stream of all articles", exported),
    Step("The browsable API", browsed),
]
