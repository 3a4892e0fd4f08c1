"""Django's ASGI handler with its middleware, views and signals on the event loop."""

from __future__ import annotations

import asyncio
import io
from contextlib import closing
from functools import cached_property
from typing import Any

import django
from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from ..bridge import portal, run_any
from .chain import BridgedChain
from .disconnect import UntilDisconnect
from .ends import announce, close, script_prefix
from .lifespan import Receive, Send, serve_lifespan
from .modes import awaited
from .streaming import is_synchronous_stream, pieces
from .threads import finish_thread, has_thread, wait_for_thread
from .views import BridgedViews

# What servers send for a request without a body: nearly all that are read.
NO_BODY = {"type": "http.request", "body": b"", "more_body": False}


class BridgedHandler(BridgedChain, BridgedViews):
    """Gets a response in one entry of the bridge; mixed into Django's handlers."""

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response to a request.

        Args:
            request: the request.

        Mirrors ``BaseHandler.get_response_async``.
        """
        return await run_any(self.get_response, request)

    def check_response(self, response: Any, callback: Any, name: str | None = None) -> None:
        """Complain if a view returned nothing; make its asynchronous ``render`` wait.

        Args:
            response: what the view or a middleware returned.
            callback: the view or the middleware.
            name: what to call it in the complaint.

        Mirrors ``BaseHandler.check_response``.
        """
        super().check_response(response, callback, name)
        render = getattr(response, "render", None)
        if render is not None and iscoroutinefunction(render):
            response.render = awaited(render)


class TurboASGIHandler(BridgedHandler, ASGIHandler):
    """An ASGI application that serves a Django project without leaving the event loop.

    Answers the server's lifespan protocol too: pools open before the first request and close
    after the last. Mirrors ``django.core.handlers.asgi.ASGIHandler``.
    """

    # Not in __init__: Django's handler of static files does not call that of its base.
    @cached_property
    def _served(self) -> set[asyncio.Task[Any]]:
        return set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server.

        Args:
            scope: an ASGI scope of type ``http`` or ``lifespan``.
            receive: gives the server's next message.
            send: takes a message for the server.

        Raises:
            ValueError: the scope is of another type.
        """
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send, self._served)
        else:
            await super().__call__(scope, receive, send)

    async def handle(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request, in one entry of the bridge.

        Args:
            scope: an ASGI scope of type ``http``.
            receive: gives the server's next message.
            send: takes a message for the server.

        Mirrors ``ASGIHandler.handle``, with the signals sent where they may query, and a client
        that goes away heard by all versions of Django.
        """
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        try:
            await portal(self._serve(scope, receive, send))
        finally:
            self._served.discard(task)
            if has_thread():
                # The signals, which close old connections, are sent on the loop.
                await finish_thread()

    async def read_body(self, receive: Receive) -> Any:
        """Return the body of a request as a file.

        Args:
            receive: gives the server's next message.

        Raises:
            RequestAborted: the client left before it had sent all.

        Mirrors ``ASGIHandler.read_body``, which has a file ready even where there is no body.
        """
        message = await receive()
        if message == NO_BODY:
            return io.BytesIO()
        waiting = [message]

        async def again() -> Any:
            return waiting.pop() if waiting else await receive()

        return await super().read_body(again)

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            body: Any = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            set_script_prefix(script_prefix(self, scope))
            await announce(request_started, sender=type(self), scope=scope)
            request, refusal = self.create_request(scope, body)
            if request is None:
                await self.send_response(refusal, send)
                await close(refusal)
            else:
                await self._answer(request, receive, send)

    async def _answer(self, request: Any, receive: Receive, send: Send) -> None:
        response: Any = None
        try:
            async with UntilDisconnect(receive):
                response = await self.get_response_async(request)
                response._handler_class = type(self)
                if isinstance(response, FileResponse):
                    response.block_size = self.chunk_size
                await self.send_response(response, send)
        finally:
            # Closing it says that the request has finished.
            if response is not None:
                await close(response)
        if response is None:
            await announce(request_finished, sender=type(self))

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response to a request.

        Args:
            request: the request.

        Mirrors ``BaseHandler.get_response_async``.
        """
        try:
            return await super().get_response_async(request)
        except asyncio.CancelledError:
            # A view in a thread goes on, and may still read the body.
            await wait_for_thread()
            request.close()
            raise

    async def send_response(self, response: Any, send: Send) -> None:
        """Send a response; what its iterator asks of a database waits in the bridge.

        Args:
            response: the response.
            send: takes a message for the server.

        Mirrors ``ASGIHandler.send_response``.
        """
        if is_synchronous_stream(response):
            response.streaming_content = pieces(response)
        await super().send_response(response, send)


def get_asgi_application() -> TurboASGIHandler:
    """Set Django up and return the project's ASGI application.

    Returns:
        An application that serves requests and lifespan events on the event loop, through the
        bridge. Synchronous views get a thread, unless ``on_loop`` or ``TURBO_ORM["SYNC_VIEWS"]``
        says otherwise.

    Raises:
        ImproperlyConfigured: ``turbo_orm`` is not among the installed applications.

    Mirrors ``django.core.asgi.get_asgi_application``.
    """
    django.setup(set_prefix=False)
    if not apps.is_installed("turbo_orm"):
        raise ImproperlyConfigured(
            "turbo_orm.asgi.get_asgi_application() needs Django's own coroutines on the bridge: "
            "add 'turbo_orm' to INSTALLED_APPS."
        )
    return TurboASGIHandler()
