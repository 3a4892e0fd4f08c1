"""Cancel what a client no longer waits for."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType
from typing import Any

from ..conf import get_settings
from .lifespan import Receive


class UntilDisconnect:
    """A block that is cancelled, and left quietly, when the client of its request goes."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._failure: Exception | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving: asyncio.Task[Any] = task
        self._listening: asyncio.Task[None] | None = None
        self._beginning: asyncio.TimerHandle | None = None
        # Seldom at once: a task that listens costs as much as a query, and most requests are
        # answered before it could save anything.
        if patience := get_settings().DISCONNECT_PATIENCE:
            self._beginning = asyncio.get_running_loop().call_later(patience, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        try:
            message = await self._receive()
            if message["type"] != "http.disconnect":
                raise AssertionError(  # Django's
                    f"Invalid ASGI message after request body: {message['type']}"
                )
        except Exception as error:
            self._failure = error
        self._gone = True
        self._serving.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._beginning is not None:
            self._beginning.cancel()
        if self._listening is not None:
            self._listening.cancel()
        if not self._gone:
            return False
        if not isinstance(error, asyncio.CancelledError):
            await self._take_late_cancellation()
        cancelled_by_others = sys.version_info >= (3, 11) and self._serving.uncancel() > 0
        if self._failure is not None:
            raise self._failure
        return not cancelled_by_others and (
            error is None or isinstance(error, asyncio.CancelledError)
        )

    async def _take_late_cancellation(self) -> None:
        """Let a cancellation arrive here that would else arrive in the code of the server."""
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return
