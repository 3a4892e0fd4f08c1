"""Open the pools when an ASGI server starts, close them when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from django.db import OperationalError, connections

from ..conf import get_settings
from ..connection.engine import is_postgresql
from ..lifecycle import close_pools, open_pools
from .threads import close_threads

# Each framework has types of its own for the dictionaries that pass here.
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


def lifespan(application: Application) -> Application:
    """Return an ASGI application that also answers the server's lifespan protocol.

    Args:
        application: any ASGI application, such as Django's ``get_asgi_application()``. That of
            ``turbo_orm.asgi`` answers the protocol itself.

    Returns:
        The application; its pools are open before the first request and closed after the last. A
        wrong setting stops the server. A database that cannot be reached is logged by its pool,
        and stops the server only with ``TURBO_ORM["REQUIRE_DATABASE"]``.

    Without it the pools open with the first query and close with the event loop.
    """

    async def with_lifespan(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        else:
            await application(scope, receive, send)

    return with_lifespan


async def serve_lifespan(
    receive: Receive, send: Send, served: Collection[asyncio.Task[Any]] = ()
) -> None:
    """Answer the server's lifespan protocol.

    Args:
        receive: gives the server's next message.
        send: takes a message for the server.
        served: the requests under way. They may end before the pools are closed, if they need no
            longer than ``TURBO_ORM["CLEANUP_TIMEOUT"]``.
    """
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await _start()
            except Exception as error:
                await close_pools()
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if served:
                await asyncio.wait(set(served), timeout=get_settings().CLEANUP_TIMEOUT)
            await close_threads()
            await close_pools()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _start() -> None:
    for alias in connections.settings:
        if not is_postgresql(alias):
            continue
        try:
            await open_pools(alias)
        except OperationalError:
            # Its pool has logged that, and will log when the database is back.
            if get_settings().REQUIRE_DATABASE:
                raise
