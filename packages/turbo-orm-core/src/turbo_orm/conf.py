"""The one settings dictionary, ``TURBO_ORM``, read once and checked."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

SETTING = "TURBO_ORM"
PLANS = ("on", "off", "verify")
SYNC_VIEWS = ("thread", "loop")
RESET_SESSIONS = ("auto", "always", False)


@dataclasses.dataclass(frozen=True)
class TurboSettings:
    """What ``TURBO_ORM`` may say; each field is one key.

    Args:
        REDIRECT_DJANGO: run Django's own ``a*`` methods on the bridge.
        POOL: pool options by alias; they win over ``OPTIONS["pool"]``, and are the only place for
            them before Django 5.1, whose synchronous backend does not know that option.
        CLEANUP_TIMEOUT: seconds that a commit, rollback or return to the pool may still take after
            its task was cancelled; then the connection is closed.
        PLANS: ``"on"``: querysets of a known shape are neither built nor compiled again; ``"off"``:
            Django does it each time; ``"verify"``: each use of a plan is compared with Django.
        PLAN_CACHE_SIZE: how many plans are kept.
        SYNC_VIEWS: where ``turbo_orm.asgi`` runs a synchronous view and its middleware:
            ``"thread"``, as under WSGI, or ``"loop"``: in the bridge, for projects whose views
            block on nothing but databases.
        SYNC_THREADS: how many threads for requests with synchronous views one event loop keeps.
            Further requests wait for one, and get more threads if none comes back for a moment.
        DISCONNECT_PATIENCE: seconds that ``turbo_orm.asgi`` serves a request before it listens for
            its client's leaving; ``0`` to listen at once, as Django does.
        REQUEST_LOCALS: which ``threading.local`` objects belong to a request instead: ``"auto"``,
            those of installed applications, middleware and the project; a list of dotted paths of
            objects, classes, modules and packages; or ``False``. ``REDIRECT_DJANGO = False`` turns
            them off too.
        RESET_SESSIONS: which sessions are made like new before a pool lends them again: ``"auto"``:
            those of which a statement may have changed something; ``"always"``: each, for projects
            with functions of their own that change sessions; False: none.
        REQUIRE_DATABASE: refuse to start serving when a database cannot be reached.
    """

    REDIRECT_DJANGO: bool = True
    POOL: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    CLEANUP_TIMEOUT: float = 5.0
    PLANS: str = "on"
    PLAN_CACHE_SIZE: int = 1000
    SYNC_VIEWS: str = "thread"
    SYNC_THREADS: int = 40
    DISCONNECT_PATIENCE: float = 0.1
    REQUEST_LOCALS: str | Sequence[str] | bool = "auto"
    REQUIRE_DATABASE: bool = False
    RESET_SESSIONS: str | bool = "auto"


KNOWN_KEYS = frozenset(field.name for field in dataclasses.fields(TurboSettings))
# Keys of former versions, each with what to do instead. They are ignored, and a check warns.
REMOVED_KEYS = {
    "THREAD_MIDDLEWARE": (
        "Remove it. A request whose view is synchronous now runs in a thread as a whole, with all "
        "its middleware. Before a coroutine view middleware runs on the event loop: there call "
        "what blocks by turbo_orm.await_thread(function, ...)."
    ),
}


def raw_settings() -> Mapping[str, Any]:
    """Return ``settings.TURBO_ORM`` as written, an empty mapping if it is absent."""
    written = getattr(django_settings, SETTING, None)
    return written if isinstance(written, Mapping) else {}


def unknown_keys() -> list[str]:
    """Return the keys of ``TURBO_ORM`` that mean nothing, sorted."""
    return sorted(set(raw_settings()) - KNOWN_KEYS - set(REMOVED_KEYS))


def removed_keys() -> list[str]:
    """Return the keys of ``TURBO_ORM`` that meant something in a former version, sorted."""
    return sorted(set(raw_settings()) & set(REMOVED_KEYS))


@functools.lru_cache(maxsize=1)
def get_settings() -> TurboSettings:
    """Return the settings in force.

    Raises:
        ImproperlyConfigured: ``TURBO_ORM`` has a key that means nothing.
    """
    unknown = unknown_keys()
    if unknown:
        raise ImproperlyConfigured(
            f"settings.{SETTING} has unknown keys: {', '.join(unknown)}. "
            f"Known are: {', '.join(sorted(KNOWN_KEYS))}."
        )
    written = raw_settings()
    return TurboSettings(**{**{key: written[key] for key in KNOWN_KEYS & set(written)}, **_forced})


# What the project has on, but this Django has not all the names for.
_forced: dict[str, Any] = {}


def turn_off(**forced: Any) -> None:
    """Let settings have other values than those written, until the process ends.

    Args:
        **forced: the values, by key.
    """
    _forced.update(forced)
    get_settings.cache_clear()


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == SETTING:
        get_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.conf")
