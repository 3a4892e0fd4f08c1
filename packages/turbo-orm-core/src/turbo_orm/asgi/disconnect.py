"""Cancel what nobody waits for any more, where Django itself does not (before 6.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished

from ..bridge import portal, run_sync
from .lifespan import Receive, Send

Handle = Callable[[Any, Receive, Send], Awaitable[Any]]

# The tasks that work for the present request.
_tasks: ContextVar[set[asyncio.Task[Any]]] = ContextVar("turbo_orm.asgi.tasks")


def join_request() -> None:
    """Let the running task end when the server cancels the request; see ``with_its_tasks``."""
    task = asyncio.current_task()
    if task is not None:
        _tasks.get(set()).add(task)


async def with_its_tasks(handle: Handle, scope: Any, receive: Receive, send: Send) -> None:
    """Serve one request; if the server cancels that, no task that Django began for it is left.

    Args:
        handle: Django's ``ASGIHandler.handle``.
        scope: an ASGI scope of type ``http``.
        receive: gives the server's next message.
        send: takes a message for the server.

    From 6.1 on Django itself ends its tasks.
    """
    tasks: set[asyncio.Task[Any]] = set()
    _tasks.set(tasks)

    async def receive_as_part() -> Any:
        join_request()
        return await receive()

    try:
        await portal(handle(scope, receive_as_part, send))
    finally:
        left = {task for task in tasks if not task.done() and task is not asyncio.current_task()}
        if left:
            await _end(left)


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        # Django's task takes no notice of a cancellation while it sends: it returns the response.
        if not task.cancelled() and (response := task.result()) is not None:
            await run_sync(response.close)


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
    handle: Handle, scope: Any, receive: Receive, send: Send, *, sender: Any
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
