"""What stands for Django's way of running a signal's asynchronous receivers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from types import SimpleNamespace
from typing import Any

from ..bridge import in_bridge


def run_in_turn(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``_run_parallel`` that in the bridge awaits one after the other, in this task.

    Receivers of a signal then share the connection and the transaction of what sent it.
    """

    @wraps(original)
    async def run_one_after_another(*coroutines: Coroutine[Any, Any, Any]) -> Any:
        if in_bridge():
            return await _in_turn(*coroutines)
        return await original(*coroutines)

    return run_one_after_another


def sequential_asyncio(original: Any) -> Any:
    """Return what the signal dispatcher before Django 6.1 needs of asyncio; see ``run_in_turn``."""

    def gather(*awaitables: Any) -> Any:
        return _in_turn(*awaitables) if in_bridge() else asyncio.gather(*awaitables)

    return SimpleNamespace(gather=gather)


async def _in_turn(*awaitables: Any) -> list[Any]:
    waiting = list(awaitables)
    try:
        return [await waiting.pop(0) for _ in awaitables]
    finally:
        for coroutine in waiting:
            close = getattr(coroutine, "close", None)
            if close is not None:
                close()
