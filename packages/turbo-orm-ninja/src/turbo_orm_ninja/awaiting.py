"""What a project's coroutine function returns, waited for where Ninja would not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from inspect import isawaitable
from typing import Any

from asgiref.sync import async_to_sync

from turbo_orm import await_, in_bridge


def settled(value: Any) -> Any:
    """Return a value; wait for it if it is awaitable.

    Args:
        value: what a resolver or an exception handler has returned. Ninja calls it in the bridge,
            in the thread of a synchronous operation, or in a project's own thread or command.

    Raises:
        MissingBridge: an event loop runs here, but not in the bridge: nothing can wait.
        BaseException: whatever the awaitable raises.
    """
    if not isawaitable(value):
        return value
    if in_bridge() or _on_event_loop():
        return await_(value)
    return async_to_sync(_wait_for)(value)


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
