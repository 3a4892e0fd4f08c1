"""Whole requests: middleware, session, view, template and admin, none of it in a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from asgiref.sync import SyncToAsync
from django.contrib.auth import get_user_model
from django.test import AsyncClient, override_settings

from turbo_orm import run_sync

from ..models import Article, Author
from ..preparation import demo_user
from .report import Step, Surprise, expect


async def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
    """Stand where work is sent to a thread."""
    raise Surprise(f"{self.func} was sent to a thread")


@contextlib.contextmanager
def no_hops() -> Iterator[None]:
    """Answer Django's test client, and let everything fail that wants to run in a thread."""
    with (
        override_settings(ALLOWED_HOSTS=["testserver"]),
        mock.patch.object(SyncToAsync, "__call__", refuse),
    ):
        yield


async def front_page() -> str:
    """Read the front page: its template fetches articles, authors and the user."""
    with no_hops():
        answer = await AsyncClient().get("/")
    expect("status", answer.status_code, 200)
    rows = answer.content.decode().count("<li>")
    expect("articles on the page", rows, 20)
    return f"{rows} articles, fetched by the template of an async view"


async def admin() -> str:
    """Sign in; add, find, change and delete an author in the admin."""
    browser = AsyncClient()
    name, _ = await run_sync(demo_user)
    user = await get_user_model()._default_manager.aget(username=name)
    with no_hops():
        await run_sync(browser.force_login, user)
        await _post(browser, "add/", name="Hypatia", email="hypatia@example.com")
        author = await Author.objects.aget(name="Hypatia")
        found = await browser.get("/admin/articles/author/?q=hypatia")
        expect("found", "1 author" in found.content.decode(), True)
        await _post(browser, f"{author.pk}/change/", name="Hypatia of Alexandria", email="")
        await author.arefresh_from_db()
        await _post(browser, f"{author.pk}/delete/", post="yes")
    expect("name", author.name, "Hypatia of Alexandria")
    expect("left behind", await Author.objects.filter(pk=author.pk).acount(), 0)
    return "signed in; added, searched, changed, deleted"


async def _post(browser: AsyncClient, address: str, **data: str) -> None:
    answer = await browser.post(f"/admin/articles/author/{address}", data)
    expect(f"status of {address}", answer.status_code, 302)


async def article() -> str:
    """Read an article as JSON, with its comments."""
    slug = await Article.objects.published().values_list("slug", flat=True).afirst()
    with no_hops():
        answer = await AsyncClient().get(f"/articles/{slug}/")
    expect("status", answer.status_code, 200)
    return f"{answer.json()['title']!r}"


STEPS = [
    Step("The front page", front_page),
    Step("An article", article),
    Step("The admin", admin),
]
