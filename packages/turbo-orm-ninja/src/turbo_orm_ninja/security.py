"""Authentication on the event loop: what Ninja would send to a thread runs in the bridge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from ninja.utils import is_async_callable


class OnLoop:
    """A synchronous callback that Ninja takes for a coroutine function; else what it wraps."""

    is_async = True

    def __init__(self, callback: Callable[[HttpRequest], Any]) -> None:
        self._callback = callback

    async def __call__(self, request: HttpRequest) -> Any:
        """Ask the callback, which may query: this runs in the bridge.

        Code that says that it must not run on an event loop has a thread, as in stock Ninja.
        """
        try:
            result = self._callback(request)
        except SynchronousOnlyOperation:
            result = await sync_to_async(self._callback)(request)
        return await result if isawaitable(result) else result

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # The OpenAPI document names a security scheme by its class.
        return type(self._callback)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callback, name)


def on_loop(callbacks: Sequence[Callable[[HttpRequest], Any]]) -> list[Any]:
    """Return an operation's callbacks, none of which needs a thread.

    Args:
        callbacks: functions, coroutine functions, ``django_auth``, API keys, bearers.
    """
    return [
        callback
        if is_async_callable(callback) or getattr(callback, "is_async", False)
        else OnLoop(callback)
        for callback in callbacks
    ]
