"""What is known of the request that is being served, from its first byte to its last."""

from __future__ import annotations

from contextvars import ContextVar


class Serving:
    """One request; the tasks that Django starts for it share this object."""

    __slots__ = ("threaded",)

    def __init__(self) -> None:
        # A view or a middleware of this request ran in a thread, which may hold connections.
        self.threaded = False


_serving: ContextVar[Serving] = ContextVar("turbo_orm_serving")


def begin_serving() -> Serving:
    """Begin a request in the running context."""
    serving = Serving()
    _serving.set(serving)
    return serving


def current_serving() -> Serving:
    """Return the request that the running context serves; a new one outside of all."""
    return _serving.get(None) or begin_serving()
