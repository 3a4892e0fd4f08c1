"""Cancel what a client no longer waits for, where Django does not listen for that (before 5.0)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.signals import request_finished

from ..bridge import portal, run_sync
from .lifespan import Receive, Send


async def closing(sending: Awaitable[None], response: Any) -> None:
    """Send a response, and close it if its client has gone meanwhile.

    Args:
        sending: sends it, and closes it at the end.
        response: the response; closing it sends ``request_finished``.
    """
    try:
        await sending
    except asyncio.CancelledError:
        # Whoever cancelled it knows, and the request is at its end.
        if not response.closed:
            await run_sync(response.close)


async def until_disconnect(
    handle: Callable[..., Awaitable[Any]], scope: Any, receive: Receive, send: Send, *, sender: Any
) -> None:
    """Serve one request until it is done or its client has gone.

    Args:
        handle: Django's ``ASGIHandler.handle``.
        scope: an ASGI scope of type ``http``.
        receive: gives the server's next message.
        send: takes a message for the server.
        sender: who sends ``request_finished`` for a request that was given up.
    """
    body_read = asyncio.Event()

    async def receive_body() -> Any:
        message = await receive()
        if not message.get("more_body", False):
            body_read.set()
        return message

    async def listen() -> None:
        await body_read.wait()
        while (await receive())["type"] != "http.disconnect":
            pass

    serving = asyncio.ensure_future(portal(handle(scope, receive_body, send)))
    listening = asyncio.ensure_future(listen())
    try:
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone = not serving.done()
        listening.cancel()
        serving.cancel()
        await asyncio.wait({serving, listening})
    if serving.cancelled() and gone:
        await run_sync(request_finished.send, sender=sender)
    else:
        serving.result()
