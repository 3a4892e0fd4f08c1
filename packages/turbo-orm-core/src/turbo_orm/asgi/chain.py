"""The middleware chain: Django's own, in synchronous mode, so that one bridge entry runs it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.handlers.base import BaseHandler
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from ..conf import get_settings
from .modes import awaitable, awaited, from_thread, threaded

# What Django calls a middleware when it asks for its `get_response` to be adapted.
NAMED = "middleware "


class BridgedChain(BaseHandler):
    """Loads the middleware so that what it calls synchronously may wait in the bridge.

    A middleware that only hooks into ``MiddlewareMixin``, or that is synchronous only, runs
    synchronously in the bridge. One with asynchronous code of its own runs that code.
    """

    # What was handed to the middleware that is kept in a thread and is being loaded.
    _inside_thread: Callable[..., Any] | None = None
    # The middleware that is kept in a thread and was loaded last, as Django hands it on.
    _kept_in_thread: Callable[..., Any] | None = None

    def load_middleware(self, is_async: bool = False) -> None:
        """Load the chain, always in Django's synchronous mode.

        Args:
            is_async: what Django's handlers ask for; the chain is synchronous all the same.

        Mirrors ``BaseHandler.load_middleware``.
        """
        self._inside_thread = self._kept_in_thread = None
        super().load_middleware(is_async=False)

    def adapt_method_mode(
        self,
        is_async: bool,
        method: Callable[..., Any],
        method_is_async: bool | None = None,
        debug: bool = False,
        name: str | None = None,
    ) -> Callable[..., Any]:
        """Return a ``get_response`` or a hook in the mode in which it is called here.

        Args:
            is_async: what Django believes its caller to be; the class of the caller decides.
            method: a hook of the middleware that is being loaded, or the chain inside the next.
            method_is_async: None for a hook.
            debug: whether Django would log that it adapts; there is nothing to adapt to.
            name: names the next middleware; None for a hook and for the outermost handler.

        Mirrors ``BaseHandler.adapt_method_mode``.
        """
        if name is None and method_is_async is None:
            return self._to_bridge(method, in_thread=self._inside_thread is not None)
        in_thread = self._runs_in_thread(method)
        if name is None:
            return self._to_bridge(method, in_thread=in_thread)
        path = name.removeprefix(NAMED)
        if path in get_settings().THREAD_MIDDLEWARE:
            self._inside_thread = method
            return from_thread(self._to_bridge(method, in_thread=in_thread))
        if not runs_its_own_coroutines(import_string(path)):
            return self._to_bridge(method, in_thread=in_thread)
        if iscoroutinefunction(method):
            return method
        return awaitable(self._to_bridge(method, in_thread=in_thread))

    def _runs_in_thread(self, method: Callable[..., Any]) -> bool:
        inside, self._inside_thread = self._inside_thread, None
        # Django goes on with what was inside if a middleware raised MiddlewareNotUsed, and so may
        # come with the same method again.
        if inside is not None and method is not inside:
            self._kept_in_thread = method
        return method is self._kept_in_thread

    def _to_bridge(self, method: Callable[..., Any], *, in_thread: bool) -> Callable[..., Any]:
        if iscoroutinefunction(method):
            return awaited(method)
        return threaded(method) if in_thread else method


def runs_its_own_coroutines(middleware: Any) -> bool:
    """Tell whether a middleware has asynchronous code that is more than its synchronous code.

    ``MiddlewareMixin`` only sends the synchronous hooks to a thread.
    """
    if not getattr(middleware, "async_capable", False):
        return False
    if not getattr(middleware, "sync_capable", True):
        return True
    return not (
        isinstance(middleware, type)
        and issubclass(middleware, MiddlewareMixin)
        and middleware.__call__ is MiddlewareMixin.__call__
        and middleware.__acall__ is MiddlewareMixin.__acall__
    )
