"""The newsroom's tests in pytest's style; ``turbo_db`` comes with Turbo ORM's plugin."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from articles.models import Article, Author
from turbo_orm import atomic
from turbo_orm.test import AsyncClient, leaks


@pytest.fixture
def ada(turbo_db: None) -> Author:
    """A row made synchronously, in the transaction that the coroutines share."""
    return Author.objects.create(name="Ada")


@pytest.fixture
async def article(ada: Author) -> Article:
    """A row made by a coroutine."""
    return await Article.objects.acreate(title="First", slug="first", author=ada)


async def test_a_view_shows_the_rows_of_both_fixtures(
    article: Article, turbo_async_client: AsyncClient
) -> None:
    found = (await turbo_async_client.get("/articles/first/")).json()
    assert (found["title"], found["author"]["name"]) == ("First", "Ada")


@pytest.mark.no_threads
async def test_a_list_takes_two_queries(
    article: Article, turbo_async_client: AsyncClient, turbo_assert_num_queries: Any
) -> None:
    with turbo_assert_num_queries(2):
        await turbo_async_client.get("/articles/")


async def test_tasks_write_one_after_the_other(ada: Author) -> None:
    async def write(title: str) -> None:
        async with atomic():
            await Article.objects.acreate(title=title, author=ada)

    await asyncio.gather(*(write(title) for title in "abc"))
    assert await ada.articles.acount() == 3


async def test_the_pool_itself_leaks_no_connection(turbo_transactional_db: None) -> None:
    async with leaks():
        await asyncio.gather(*(Article.objects.acount() for _ in range(20)))
