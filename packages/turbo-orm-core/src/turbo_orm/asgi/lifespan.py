"""Open the pools when an ASGI server starts, close them when it stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..lifecycle import close_pools, open_pools

# Each framework has types of its own for the dictionaries that pass here.
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


def lifespan(application: Application) -> Application:
    """Return an ASGI application that also answers the server's lifespan protocol.

    Args:
        application: any ASGI application, such as Django's ``get_asgi_application()``.

    Returns:
        The application; its pools are open before the first request, so that a wrong setting
        stops the server, and closed after the last.

    Without it the pools open with the first query and close with the event loop.
    """

    async def with_lifespan(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _serve(receive, send)
        else:
            await application(scope, receive, send)

    return with_lifespan


async def _serve(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await open_pools()
            except Exception as error:
                await close_pools()
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await close_pools()
            await send({"type": "lifespan.shutdown.complete"})
            return
