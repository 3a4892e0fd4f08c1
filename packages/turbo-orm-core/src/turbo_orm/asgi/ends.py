"""How a request begins and ends on the event loop: prefix, signals, the closing of a response."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Iterator
from typing import Any, TypeVar

import django
from asgiref.sync import sync_to_async
from django.core.handlers import asgi

from ..bridge import in_bridge, portal
from ..conf import get_settings
from ..leases.scope import end_as_request

T = TypeVar("T")

# A method of the handler before Django 5.0.
_function: Any = getattr(asgi, "get_script_prefix", None)


def script_prefix(handler: Any, scope: Any) -> str:
    """Return under which path the project lies."""
    prefix: str = (_function or handler.get_script_prefix)(scope)
    return prefix


async def announce(signal: Any, **named: Any) -> None:
    """Send a signal to receivers of either kind; called in the bridge."""
    if get_settings().REDIRECT_DJANGO or not hasattr(signal, "asend"):
        signal.send(**named)
    else:
        await signal.asend(**named)


async def as_request(awaitable: Awaitable[T]) -> T:
    """Drive a request in a portal, which rolls back open transactions as Django does at its end.

    Args:
        awaitable: the coroutine of the request. In a portal of the user's it is simply awaited.

    Returns:
        What the coroutine returns.
    """
    if in_bridge():
        return await awaitable
    return await portal(_ended_as_request(awaitable))


async def _ended_as_request(awaitable: Awaitable[T]) -> T:
    end_as_request()
    return await awaitable


@contextlib.contextmanager
def kept_open(response: Any) -> Iterator[None]:
    """Leave it to the run of the request to close its response, which may have to be in a thread.

    Before Django 5.0 ``ASGIHandler.send_response`` does it too, on the event loop.
    """
    if django.VERSION >= (5, 0):
        yield
        return
    response.close = _nothing
    try:
        yield
    finally:
        del response.close


def _nothing() -> None:
    """Close nothing yet."""


async def close(response: Any) -> None:
    """Close a response, which sends ``request_finished``; called in the bridge."""
    if response.closed:
        return
    if get_settings().REDIRECT_DJANGO:
        response.close()
    else:
        # Receivers that are coroutine functions cannot be waited for here then.
        await sync_to_async(response.close)()
