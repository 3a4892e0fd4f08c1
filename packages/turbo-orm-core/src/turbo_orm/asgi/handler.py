"""Django's ASGI handler: a request runs whole on the event loop, or whole in a thread."""

from __future__ import annotations

import asyncio
import io
import logging
from contextlib import closing, nullcontext
from functools import cached_property
from typing import Any

import django
from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from ..bridge import run_any
from ..conf import REMOVED_KEYS, removed_keys
from ..namespaces import begin_request, end_request
from .asynchronous import OnLoop
from .chain import BridgedChain
from .disconnect import UntilDisconnect
from .ends import announce, as_request, close, kept_open, script_prefix
from .lifespan import Receive, Send, serve_lifespan
from .modes import awaited
from .resolving import ResolvedEarly, early_match
from .streaming import closed_streams, is_synchronous_stream, pieces
from .synchronous import InThread
from .views import BridgedViews

# What servers send for a request without a body: nearly all that are read.
NO_BODY = {"type": "http.request", "body": b"", "more_body": False}

logger = logging.getLogger("turbo_orm")


class BridgedHandler(BridgedChain, BridgedViews, ResolvedEarly):
    """Gets a response in the bridge or in the request's thread; mixed into Django's handlers."""

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response to a request.

        Args:
            request: the request.

        Mirrors ``BaseHandler.get_response_async``.
        """
        if early_match(request).in_thread:
            return await self.synchronous_chain.get_response_in_thread(request)
        return await as_request(run_any(self.get_response, request))

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
    """An ASGI application: coroutine views on the event loop, synchronous ones as under WSGI.

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
        """Serve one request.

        Args:
            scope: an ASGI scope of type ``http``.
            receive: gives the server's next message.
            send: takes a message for the server.

        Mirrors ``ASGIHandler.handle``, with the signals sent where the view runs, and a client
        that goes away heard by all versions of Django.
        """
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        outer = begin_request()
        try:
            await as_request(self._serve(scope, receive, send))
        finally:
            self._served.discard(task)
            end_request(outer)

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
            request, refusal = self.create_request(scope, body)
            if request is None:
                await announce(request_started, sender=type(self), scope=scope)
                await self.send_response(refusal, send)
                await close(refusal)
            else:
                await self._answer(request, receive, send)

    async def _answer(self, request: Any, receive: Receive, send: Send) -> None:
        async with self._run(request) as run, UntilDisconnect(receive):
            response = await run.respond()
            if isinstance(response, FileResponse):
                response.block_size = self.chunk_size
            await self.send_response(response, send)

    def _run(self, request: Any) -> InThread | OnLoop:
        # A subclass may answer some requests itself, as Django's handler of static files does.
        plain = type(self).get_response_async is BridgedHandler.get_response_async
        if plain and early_match(request).in_thread:
            return InThread(self.synchronous_chain, request, type(self))
        return OnLoop(self, request)

    async def send_response(self, response: Any, send: Send) -> None:
        """Send a response; what its iterator asks of a database waits in the bridge.

        Args:
            response: the response.
            send: takes a message for the server.

        Mirrors ``ASGIHandler.send_response``.
        """
        if is_synchronous_stream(response):
            response.streaming_content = pieces(response)
        streams = closed_streams(response) if response.streaming else nullcontext()
        with kept_open(response):
            async with streams:
                await super().send_response(response, send)


def get_asgi_application() -> TurboASGIHandler:
    """Set Django up and return the project's ASGI application.

    Returns:
        An application that serves requests and lifespan events on the event loop, through the
        bridge. A request whose view is synchronous runs in a thread, unless ``on_loop`` or
        ``TURBO_ORM["SYNC_VIEWS"]`` says otherwise.

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
    for key in removed_keys():
        # ASGI servers run no system checks.
        logger.warning("TURBO_ORM[%r] has no effect any more. %s", key, REMOVED_KEYS[key])
    return TurboASGIHandler()
