"""What ``django.db.connections`` looks into: the bridge first, then Django's own storage."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from django.core.signals import setting_changed
from django.db import connections

from ..bridge import current_job, on_event_loop
from ..pool import retire_pools, use_recipes
from .context import logged_aliases
from .engine import forget_wrappers, idle_wrapper, is_postgresql, unsupported_wrapper
from .lending import resolve
from .recipe import recipe_of
from .transactions import current_hold, held_aliases


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
                return scope.wrappers[alias]
            if alias in connections.settings:
                return resolve(job, alias) if is_postgresql(alias) else unsupported_wrapper(alias)
        elif _is_kept_from_django() and alias in connections.settings and is_postgresql(alias):
            hold = current_hold(alias)
            return idle_wrapper(alias) if hold is None else hold.transaction.wrapper
        return getattr(self._original, alias)

    def __setattr__(self, alias: str, value: Any) -> None:
        setattr(self._original, alias, value)

    def __delattr__(self, alias: str) -> None:
        delattr(self._original, alias)


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
    # Whoever sets this wants Django's synchronous connections even here: notebooks, Playwright.
    return on_event_loop() and not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")


def install() -> None:
    """Put the storage before Django's; safe to call again."""
    handler: Any = connections
    if not isinstance(handler._connections, BridgedStorage):
        handler._connections = BridgedStorage(handler._connections)
    use_recipes(recipe_of)
    setting_changed.connect(_forget, dispatch_uid="turbo_orm.connection")


def _forget(*, setting: str, **kwargs: Any) -> None:
    # An application may adapt types on each new connection: contrib.postgres does.
    if setting in {"DATABASES", "INSTALLED_APPS", "TIME_ZONE", "USE_TZ", "TURBO_ORM"}:
        forget_wrappers()
        retire_pools()
