"""How a request begins and ends on the event loop: prefix, signals, the closing of a response."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers import asgi

from ..conf import get_settings

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


async def close(response: Any) -> None:
    """Close a response, which sends ``request_finished``; called in the bridge."""
    if response.closed:
        return
    if get_settings().REDIRECT_DJANGO:
        response.close()
    else:
        # Receivers that are coroutine functions cannot be waited for here then.
        await sync_to_async(response.close)()
