"""Where a view runs: a coroutine in the bridge, a synchronous one in a thread unless marked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.core.handlers.base import BaseHandler

from ..bridge import await_
from ..conf import get_settings
from .modes import threaded

C = TypeVar("C", bound=Callable[..., Any])

MARK = "_turbo_orm_on_loop"


def on_loop(view: C) -> C:
    """Let a synchronous view run on the event loop, in the bridge, instead of in a thread.

    Args:
        view: a function, or what ``as_view()`` returns. For a class use
            ``@method_decorator(on_loop, name="dispatch")``, as with Django's own decorators.

    Returns:
        The view, marked. It must block on nothing but databases: a call of another service or
        ``time.sleep`` would stop every other request; ``await_thread`` takes such a call off.
    """
    try:
        setattr(view, MARK, True)
    except AttributeError:  # a bound method
        return on_loop(cast("C", partial(view)))
    return view


def runs_on_loop(view: Callable[..., Any]) -> bool:
    """Tell whether a synchronous view may run in the bridge."""
    return get_settings().SYNC_VIEWS == "loop" or getattr(view, MARK, False)


def _wait_for(view: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await_(view(*args, **kwargs), suspending=True)


class BridgedViews(BaseHandler):
    """Calls each view where it belongs, in its transactions if ``ATOMIC_REQUESTS`` says so."""

    def make_view_atomic(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return a synchronous callable for a view of either kind.

        Args:
            view: what the URL resolved to.

        Mirrors ``BaseHandler.make_view_atomic``, which refuses coroutine functions.
        """
        if iscoroutinefunction(view):
            # Made for each request: `awaited` would take over names that nobody asks for.
            driven: Any = partial(_wait_for, view)
            if excused := getattr(view, "_non_atomic_requests", None):
                driven._non_atomic_requests = excused
            return super().make_view_atomic(driven)
        # In its thread a view has its transactions there too.
        atomic_view = super().make_view_atomic(view)
        return atomic_view if runs_on_loop(view) else threaded(atomic_view)
