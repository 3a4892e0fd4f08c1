"""What ``django.db.connections`` looks into: the bridge first, then Django's own storage."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from typing import Any

from django.db import connections

from ..bridge import current_job, on_event_loop
from ..callers import current_caller, here, last_caller
from ..connection.carried import adopt
from ..connection.context import logged_aliases
from ..connection.engine import (
    idle_wrapper,
    is_postgresql,
    unsupported_wrapper,
    wrapper_of_thread,
)
from .decision import Lease, Place, decide
from .holds import held_aliases, stand, too_late
from .in_threads import guest_in_thread
from .lending import may_borrow, resolve
from .on_loops import guest_on_loop


class BridgedStorage:
    """Stands before the ``asgiref.local.Local`` that holds Django's connections.

    Django's handler only gets, sets, deletes and asks for attributes of it. Where no event loop
    runs, all of that goes on to Django's own storage.
    """

    def __init__(self, original: Any) -> None:
        object.__setattr__(self, "_original", original)

    def __getattr__(self, alias: str) -> Any:
        job = current_job()
        if job is not None:
            scope = job.scope
            if scope is not None and alias in scope.wrappers:
                wrapper = scope.wrappers[alias]
                if last_caller() is None or not _is_outside(wrapper):
                    return wrapper
                del scope.wrappers[alias]
                wrapper.finish()
            if alias in connections.settings:
                return resolve(job, alias) if is_postgresql(alias) else unsupported_wrapper(alias)
        elif not on_event_loop():
            return self._in_thread(alias)
        elif _is_kept_from_django() and alias in connections.settings and is_postgresql(alias):
            return _seen_from_loop(alias)
        return getattr(self._original, alias)

    def _in_thread(self, alias: str) -> Any:
        if here.replaced and alias in here.replaced:
            return here.replaced[alias]
        if here.host is not None and (guest := _guest_of_block(alias)) is not None:
            return guest
        try:
            return getattr(self._original, alias)
        except AttributeError:
            # A coroutine that this thread waits for may have asked for it already, or do so now.
            shared = here.calls and alias in connections.settings and is_postgresql(alias)
            if not shared and alias not in here.wrappers:
                raise
            wrapper = wrapper_of_thread(here.wrappers, alias, threading.get_ident())
            setattr(self._original, alias, wrapper)
            return wrapper

    def __setattr__(self, alias: str, value: Any) -> None:
        if alias in connections.settings and is_postgresql(alias):
            adopt(value)
        setattr(self._original, alias, value)
        if not on_event_loop():
            here.wrappers[alias] = value

    def __delattr__(self, alias: str) -> None:
        delattr(self._original, alias)
        if not on_event_loop():
            here.wrappers.pop(alias, None)


def _is_outside(wrapper: Any) -> bool:
    """Tell whether a job took a wrapper before the block was opened in which it is now."""
    # One without a home stands for another for a while: it was put there on purpose.
    lent = wrapper.home is not None and not wrapper.is_guest and wrapper.clean
    return lent and current_caller() is not None


def _seen_from_loop(alias: str) -> Any:
    """Return what shows the state of the connection outside the bridge, where none is used."""
    if may_borrow(alias):
        return idle_wrapper(alias)
    caller = current_caller()
    found, hold = stand(alias)
    lease = decide(Place.LOOP, found, called=caller is not None)
    if caller is not None and lease is Lease.CALLER:
        return guest_on_loop(caller, alias)
    if hold is not None and lease is Lease.REFUSED:
        raise too_late(hold.transaction)
    return idle_wrapper(alias) if hold is None else hold.transaction.wrapper


def _guest_of_block(alias: str) -> Any:
    """Return this thread's guest at the connection of the block that waits for it, if one does."""
    if alias not in connections.settings:
        return None
    found, hold = stand(alias)
    lends = hold is not None and hold.transaction.lends
    lease = decide(Place.HOSTED, found, lends=lends)
    if hold is not None and lease is Lease.REFUSED:
        raise too_late(hold.transaction)
    return guest_in_thread(hold) if hold is not None and lease is Lease.GUEST else None


def used_aliases() -> Collection[str]:
    """Return the aliases that the running job, in the bridge, has used or could have used.

    Asking for a wrapper would make it use one.
    """
    job = current_job()
    scope = None if job is None else job.scope
    used = () if scope is None else scope.wrappers
    elsewhere = {*held_aliases(), *logged_aliases()}
    return elsewhere.union(used) if elsewhere else used


def _is_kept_from_django() -> bool:
    # Who sets this wants Django's synchronous connections even on a loop: notebooks, Playwright.
    return not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
