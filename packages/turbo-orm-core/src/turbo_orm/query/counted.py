"""A page of rows, and how many rows there are, asked for at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.db.models import QuerySet

from ..bridge import run_sync
from ..transaction import in_atomic_block

T = TypeVar("T")


def is_free(rows: Any) -> bool:
    """Tell whether rows can be fetched while something else is asked of their database.

    Args:
        rows: a queryset; nothing else is fetched. A block has one connection for both.
    """
    return isinstance(rows, QuerySet) and not in_atomic_block(rows.db)


async def fetch_beside(rows: QuerySet[Any], count: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Fetch a page while another task counts.

    Args:
        rows: a queryset that is free, see ``is_free()``; it is evaluated then.
        count: counts what the page is of.

    Returns:
        What was counted.

    Raises:
        BaseException: whatever either of them raises; the other is over then.
    """
    counting = asyncio.ensure_future(count())
    try:
        await run_sync(len, rows)
        return await counting
    finally:
        if not counting.done():
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
