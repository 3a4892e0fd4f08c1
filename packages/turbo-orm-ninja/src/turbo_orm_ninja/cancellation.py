"""Cancellations that arrive while pydantic reads an attribute."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any, TypeVar

from pydantic import ValidationError

T = TypeVar("T")

# Whether a task knows how often it was cancelled; Python 3.10 has no `Task.cancelling`.
ARE_COUNTED = sys.version_info >= (3, 11)


async def heeding_cancellation(awaitable: Awaitable[T]) -> T:
    """Wait for something, and be cancelled if this task was cancelled meanwhile.

    Args:
        awaitable: what reads lazily loaded attributes through a schema. Pydantic catches whatever
            an attribute raises, a cancellation too, and reports that the object is not valid.

    Raises:
        CancelledError: the task was cancelled, and nobody has dealt with it.
        BaseException: whatever the awaitable raises.
    """
    task = current_task()
    before = cancellations(task)
    try:
        result = await awaitable
    except Exception as error:
        if cancellations(task) > before or _tells_of_one(error):
            raise asyncio.CancelledError from error
        raise
    if cancellations(task) > before:
        raise asyncio.CancelledError
    return result


def current_task() -> asyncio.Task[Any] | None:
    """Return the task that this code runs in, None in a thread or where no event loop runs."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def cancellations(task: asyncio.Task[Any] | None) -> int:
    """Return how often a task was cancelled, less those that were dealt with; 0 if unknown."""
    counting: Any = task
    return int(counting.cancelling()) if ARE_COUNTED and task is not None else 0


def _tells_of_one(error: Exception) -> bool:
    return isinstance(error, ValidationError) and any(
        str(line.get("ctx", {}).get("error", "")).startswith("CancelledError")
        for line in error.errors(include_url=False, include_input=False)
    )
