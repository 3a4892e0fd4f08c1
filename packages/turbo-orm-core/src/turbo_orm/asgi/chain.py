"""The middleware chain: Django's own, in synchronous mode, so that one bridge entry runs it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.handlers.base import BaseHandler
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from ..conf import get_settings
from .modes import awaitable, awaited
from .synchronous import SynchronousChain

# What Django calls a middleware when it asks for its `get_response` to be adapted.
NAMED = "middleware "


class BridgedChain(BaseHandler):
    """Loads the middleware so that what it calls synchronously may wait in the bridge.

    A middleware that only hooks into ``MiddlewareMixin``, or that is synchronous only, runs
    synchronously in the bridge. One with asynchronous code of its own runs that code.
    """

    _synchronous_chain: SynchronousChain | None = None

    def load_middleware(self, is_async: bool = False) -> None:
        """Load the middleware twice: for the event loop and for requests that run in a thread.

        Args:
            is_async: what Django's handlers ask for; both chains are in synchronous mode.

        Mirrors ``BaseHandler.load_middleware``.
        """
        super().load_middleware(is_async=False)
        on_loop_only = get_settings().SYNC_VIEWS == "loop"
        self._synchronous_chain = None if on_loop_only else SynchronousChain()

    @property
    def synchronous_chain(self) -> SynchronousChain:
        """The chain of requests that run in a thread."""
        if self._synchronous_chain is None:
            self._synchronous_chain = SynchronousChain()
        return self._synchronous_chain

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
        if name is None or not runs_its_own_coroutines(import_string(name.removeprefix(NAMED))):
            return awaited(method) if iscoroutinefunction(method) else method
        return method if iscoroutinefunction(method) else awaitable(method)


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
