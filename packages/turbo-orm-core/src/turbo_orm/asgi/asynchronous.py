"""A request that runs whole on the event loop, in the bridge."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any

from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started

from ..leases.request_thread import finish_thread, has_thread, wait_for_thread
from .ends import announce, close

if TYPE_CHECKING:
    from typing_extensions import Self


class OnLoop:
    """The run of one request on the event loop. Mirrors ``ASGIHandler.handle``."""

    def __init__(self, handler: BaseHandler, request: Any) -> None:
        self._handler = handler
        self._request = request
        self._response: Any = None

    async def __aenter__(self) -> Self:
        await announce(request_started, sender=type(self._handler), scope=self._request.scope)
        return self

    async def respond(self) -> Any:
        """Return the response."""
        try:
            response: Any = await self._handler.get_response_async(self._request)
        except asyncio.CancelledError:
            # A view that Django adapted goes on in its thread, and may still read the body.
            await wait_for_thread()
            self._request.close()
            raise
        response._handler_class = type(self._handler)
        self._response = response
        return response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._response is not None:
                # Closing it says that the request has finished.
                await close(self._response)
            elif error is None:
                await announce(request_finished, sender=type(self._handler))
        finally:
            if has_thread() and kind is not GeneratorExit:
                # The signals, which close old connections, are sent on the loop.
                await finish_thread()
