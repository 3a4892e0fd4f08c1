"""Authentication on the event loop: what Ninja would send to a thread runs in the bridge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest
from django.utils.asyncio import async_unsafe
from ninja.utils import is_async_callable

from turbo_orm.lifecycle import can_await_all

from .layers import layers_of

# Every function that `async_unsafe` decorates shares this code object, whatever it wraps.
ASYNC_UNSAFE_CODE = getattr(async_unsafe(bool), "__code__")  # noqa: B009  # unknown to stubs
# Where a callback that is an object may have the decorator; the last is Ninja's own classes'.
METHODS = ("__call__", "authenticate")


class OnLoop:
    """A synchronous callback that Ninja takes for a coroutine function; else what it wraps."""

    is_async = True

    def __init__(self, callback: Callable[[HttpRequest], Any]) -> None:
        self._callback = callback
        self._is_unsafe = is_async_unsafe(callback)

    async def __call__(self, request: HttpRequest) -> Any:
        """Ask the callback, once; it may query: this runs in the bridge.

        Args:
            request: the request.

        Raises:
            SynchronousOnlyOperation: the callback must not run on an event loop, but does not say
                so. It is not called again in a thread: what it has done until then is done.
        """
        if self._is_unsafe or not can_await_all():
            result = await sync_to_async(self._callback)(request)
        else:
            result = self._call(request)
        return await result if isawaitable(result) else result

    def _call(self, request: HttpRequest) -> Any:
        try:
            return self._callback(request)
        except SynchronousOnlyOperation as error:
            raise SynchronousOnlyOperation(
                f"{error} The authentication callback {self._callback!r} runs on the event loop. "
                "Decorate it with django.utils.asyncio.async_unsafe: then it has a thread."
            ) from error

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # The OpenAPI document names a security scheme by its class.
        return type(self._callback)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callback, name)


def is_async_unsafe(callback: Any) -> bool:
    """Tell whether a callback has Django's ``async_unsafe`` around it, or its method has.

    Args:
        callback: a function, or an object that is called, such as a bearer.
    """
    functions = (callback, *(getattr(callback, name, None) for name in METHODS))
    return any(
        getattr(layer, "__code__", None) is ASYNC_UNSAFE_CODE
        for function in functions
        for layer in layers_of(function)
    )


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
