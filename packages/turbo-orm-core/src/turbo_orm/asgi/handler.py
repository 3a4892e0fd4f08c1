"""Django's ASGI handler with its middleware, views and signals on the event loop."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

import django
from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..bridge import portal, run_sync
from .chain import BridgedChain
from .disconnect import closing, join_request, until_disconnect, with_its_tasks
from .lifespan import Receive, Send, serve_lifespan
from .modes import awaited
from .streaming import is_synchronous_stream, pieces
from .threads import finish_thread, wait_for_thread
from .views import BridgedViews

# Django listens for the client from this version on.
LISTENS = django.VERSION >= (5, 0)
# It then listens, and gets the response, in tasks; before this version they outlive their request.
ENDS_ITS_TASKS = django.VERSION >= (6, 1)


class BridgedHandler(BridgedChain, BridgedViews):
    """Gets a response in one entry of the bridge; mixed into Django's handlers."""

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response to a request.

        Args:
            request: the request.

        Mirrors ``BaseHandler.get_response_async``.
        """
        return await run_sync(self.get_response, request)

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
        """Serve one request in the bridge.

        Args:
            scope: an ASGI scope of type ``http``.
            receive: gives the server's next message.
            send: takes a message for the server.

        Mirrors ``ASGIHandler.handle``.
        """
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        try:
            handling = super().handle
            if ENDS_ITS_TASKS:
                await portal(handling(scope, receive, send))
            elif LISTENS:
                await with_its_tasks(handling, scope, receive, send)
            else:
                await until_disconnect(handling, scope, receive, send, sender=type(self))
        finally:
            self._served.discard(task)
            # The signals, which close old connections, are sent on the loop.
            await finish_thread()

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response to a request.

        Args:
            request: the request.

        Mirrors ``BaseHandler.get_response_async``.
        """
        join_request()
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
        sending = portal(super().send_response(response, send))
        await (sending if LISTENS else closing(sending, response))


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
