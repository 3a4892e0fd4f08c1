"""Whether an operation is executed synchronously, so that no resolver may give an awaitable."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_running: ContextVar[bool] = ContextVar("turbo_orm_strawberry_synchronous", default=False)


def synchronously(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``Schema.execute_sync`` that says so while it runs.

    No event loop runs then, or it runs in the bridge, where each field waits in its place.
    """

    @functools.wraps(original)
    def execute_sync(*args: Any, **kwargs: Any) -> Any:
        token = _running.set(True)
        try:
            return original(*args, **kwargs)
        finally:
            _running.reset(token)

    return execute_sync


def is_synchronous() -> bool:
    """Tell whether ``execute_sync`` is running."""
    return _running.get()
