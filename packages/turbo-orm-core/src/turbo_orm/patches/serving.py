"""What stands for methods of Django's request handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from django.utils.module_loading import import_string

from ..asgi.streaming import remember_stream
from ..leases.request_thread import finish_thread, has_thread
from ..namespaces import begin_request, end_request


def load_middleware(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``BaseHandler.load_middleware`` that makes that of ``AsyncClient`` one of ours.

    The class of the test client's handler cannot be replaced before a test has imported it.
    """

    @wraps(original)
    def load_middleware_for_loop(self: Any, is_async: bool = False) -> None:
        kind = type(self)
        if (kind.__module__, kind.__qualname__) == ("django.test.client", "AsyncClientHandler"):
            # Named, not imported: it imports what only tests need.
            self.__class__ = import_string("turbo_orm.test.client.BridgedAsyncClientHandler")
            self.load_middleware(is_async)
        else:
            original(self, is_async)

    return load_middleware_for_loop


def in_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``ASGIHandler.handle`` that serves each request with values of its own.

    Django's own handler runs synchronous middleware in a thread. What ``a*`` methods call on the
    event loop, as receivers of signals, must see what that middleware has set.
    """

    @wraps(original)
    async def call_in_request(self: Any, *args: Any, **kwargs: Any) -> None:
        outer = begin_request()
        try:
            await _with_thread_finished(original(self, *args, **kwargs))
        finally:
            end_request(outer)

    return call_in_request


async def _with_thread_finished(serving: Awaitable[None]) -> None:
    """Serve a request, and close the old connections of the thread that it may have had.

    The signals that do that in Django are sent on the event loop.
    """
    dropped = False
    try:
        await serving
    except GeneratorExit:
        # Nothing may be awaited any more.
        dropped = True
        raise
    finally:
        if has_thread() and not dropped:
            await finish_thread()


def set_streaming_content(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``StreamingHttpResponse._set_streaming_content`` that remembers generators.

    Django closes what has a ``close``. An asynchronous generator has none, and one that its client
    left would be closed when it is collected, in another task: a block that it opened would be
    lost there.
    """

    @wraps(original)
    def set_streaming_content_for_loop(self: Any, value: Any) -> None:
        original(self, value)
        if self.is_async:
            remember_stream(self, self._iterator)

    return set_streaming_content_for_loop
