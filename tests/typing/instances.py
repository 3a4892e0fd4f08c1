"""The methods of a model, and the bridge itself."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from typing_extensions import assert_type

from articles.models import Article
from turbo_orm import PoolStats, await_, await_thread, eager, pool_stats, portal, run_sync

from .models import Shop


async def methods(article: Article, shop: Shop) -> None:
    assert_type(await article.asave(update_fields=["title"]), None)
    assert_type(await article.adelete(), tuple[int, dict[str, int]])
    assert_type(await article.arefresh_from_db(fields=["title"]), None)
    assert_type(await article.afull_clean(exclude=["title"]), None)
    assert_type(await article.afetch("author"), Any)
    assert_type(await article.afetch("author", "tags"), tuple[Any, ...])
    assert_type(await shop.asave(), None)
    assert_type(await shop.afetch("books"), Any)


def synchronous(number: int, *, name: str = "") -> list[str]:
    return [name] * number


async def asynchronous(number: int) -> str:
    return str(number)


async def bridge() -> None:
    assert_type(await run_sync(synchronous, 1, name="a"), list[str])
    await run_sync(synchronous, "1")  # type: ignore[arg-type]
    await run_sync(synchronous, 1, nam="a")  # type: ignore[call-arg]
    assert_type(await portal(asynchronous(1)), str)
    assert_type(eager(synchronous, 1), list[str] | Coroutine[Any, Any, list[str]])
    assert_type(pool_stats(), PoolStats)


def inside() -> None:
    assert_type(await_(asynchronous(1)), str)
    assert_type(await_thread(synchronous, 1, name="a"), list[str])
