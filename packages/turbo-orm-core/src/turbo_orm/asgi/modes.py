"""Turn a callable of one mode, synchronous or not, into one of another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import WRAPPER_ASSIGNMENTS, wraps
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from ..bridge import await_, run_any

C = TypeVar("C", bound=Callable[..., Any])

# Not `__dict__`: it may say that the original is a coroutine function.
_wraps = {"assigned": (*WRAPPER_ASSIGNMENTS, "__self__"), "updated": ()}


def awaited(function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Return a synchronous callable that waits for a coroutine function, in the bridge."""

    @wraps(function, **_wraps)
    def wait(*args: Any, **kwargs: Any) -> Any:
        return await_(function(*args, **kwargs), suspending=True)

    return wait


def awaitable(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that runs a synchronous one in the bridge."""

    @wraps(function, **_wraps)
    async def call_in_bridge(*args: Any, **kwargs: Any) -> Any:
        return await run_any(function, *args, **kwargs)

    return call_in_bridge


def threaded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a synchronous callable that waits, in the bridge, for the request's own thread."""

    @wraps(function, **_wraps)
    def wait(*args: Any, **kwargs: Any) -> Any:
        hop = sync_to_async(function, thread_sensitive=True)
        return await_(hop(*args, **kwargs), suspending=True)

    return wait
