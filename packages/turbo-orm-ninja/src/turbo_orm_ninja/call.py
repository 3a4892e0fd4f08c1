"""The request that an operation is running for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import Any

from .cancellation import cancellations, current_task
from .endpoint import Endpoint


class Call:
    """One request to an operation.

    The code of the operation, the tasks and the threads that it starts see the same one.
    """

    __slots__ = ("_cancellations", "_task", "complete", "endpoint", "interrupted", "source")

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        # Whether an attribute was being read when it was cancelled, where that is not counted.
        self.interrupted = False
        # Whether the rows were fetched with everything that belongs to them.
        self.complete = False
        # What the response is streamed from.
        self.source: AsyncGenerator[Any, None] | None = None
        self.resume()

    def resume(self) -> None:
        """Belong to the task that runs now, and count its cancellations from here."""
        self._task = current_task()
        self._cancellations = cancellations(self._task)

    def is_of_this_task(self) -> bool:
        """Tell whether the running code is the operation's own, in no other task and no thread."""
        return self._task is not None and current_task() is self._task

    def is_cancelled(self) -> bool:
        """Tell whether the operation's task was cancelled, and has not dealt with it."""
        return self.interrupted or cancellations(self._task) > self._cancellations


running: ContextVar[Call | None] = ContextVar("turbo_orm_ninja_call", default=None)


def current_call() -> Call | None:
    """Return the request that this code runs for, None outside an operation of the adapter's."""
    return running.get()
