"""A request that runs whole in its thread, as under WSGI: signals, middleware, view, response."""

from __future__ import annotations

from functools import update_wrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started
from django.http.response import HttpResponseBase

from ..leases.request_thread import finish_thread, wait_for_thread
from .resolving import ResolvedEarly, early_match
from .threads import ThreadLease

if TYPE_CHECKING:
    from typing_extensions import Self


class SynchronousChain(ResolvedEarly, BaseHandler):
    """Django's chain in synchronous mode, the one of its WSGI handler."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)

    async def get_response_in_thread(self, request: Any) -> HttpResponseBase:
        """Return the response to a request, which the chain makes in the request's thread.

        Args:
            request: the request.
        """
        response: HttpResponseBase = await in_thread(request, self.get_response)(request)
        return response


def in_thread(request: Any, function: Any) -> Any:
    """Return an awaitable form of a function that runs in the request's thread.

    Args:
        request: who watches what is sent to threads is shown the name of its view, if it has one.
        function: what to run.
    """

    def work(*args: Any) -> Any:
        return function(*args)

    match = early_match(request).match
    named = function if match is None else match.func
    update_wrapper(work, named, assigned=("__module__", "__qualname__"), updated=())
    return sync_to_async(work, thread_sensitive=True)


class InThread:
    """The run of one request in its thread. Mirrors ``WSGIHandler.__call__``."""

    def __init__(self, chain: SynchronousChain, request: Any, sender: type) -> None:
        self._chain = chain
        self._request = request
        self._sender = sender
        self._lease = ThreadLease()
        self._begun = False
        self._response: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def respond(self) -> Any:
        """Return the response."""
        await self._lease.take()
        await in_thread(self._request, self._respond)()
        return self._response

    def _respond(self) -> None:
        self._begun = True
        request_started.send(sender=self._sender, scope=self._request.scope)
        response: Any = self._chain.get_response(self._request)
        response._handler_class = self._sender
        self._response = response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._end(error)
        finally:
            self._lease.give_back()

    async def _end(self, error: BaseException | None) -> None:
        if self._response is None:
            # If the client has left, the view runs on: as under WSGI, it does not hear of that.
            await wait_for_thread()
        if self._response is not None:
            # Closing it says that the request has finished, which closes old connections.
            await sync_to_async(self._response.close, thread_sensitive=True)()
        elif self._begun and error is None:
            await sync_to_async(self._finish, thread_sensitive=True)()
        elif self._begun:
            await finish_thread()

    def _finish(self) -> None:
        self._request.close()
        request_finished.send(sender=self._sender)
