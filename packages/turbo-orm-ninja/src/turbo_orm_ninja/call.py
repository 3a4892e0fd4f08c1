"""The request that an operation is running for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .cancellation import cancellations

if TYPE_CHECKING:
    from .endpoint import Endpoint


class Call:
    """One request to an operation."""

    __slots__ = ("cancellations", "complete", "endpoint", "interrupted", "source")

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        # How often its task had been cancelled when it began.
        self.cancellations = cancellations()
        # Whether an attribute was being read when it was cancelled, where that is not counted.
        self.interrupted = False
        # Whether the rows were fetched with everything that belongs to them.
        self.complete = False
        # What the response is streamed from.
        self.source: AsyncGenerator[Any, None] | None = None


running: ContextVar[Call | None] = ContextVar("turbo_orm_ninja_call", default=None)


def current_call() -> Call | None:
    """Return the request that this code runs for, None outside an operation of the adapter's."""
    return running.get()
