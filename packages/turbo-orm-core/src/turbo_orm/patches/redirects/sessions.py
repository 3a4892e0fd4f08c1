"""The rows for sessions."""

from __future__ import annotations

import functools

from .. import hashing, threads
from .row import Redirect

_of_sessions = functools.partial(Redirect, since=(5, 1), app="django.contrib.sessions")

SESSIONS = (
    _of_sessions(
        "django.contrib.sessions.backends.base",
        "sync_to_async",
        threads.sync_to_async,
        (
            *("SessionBase.aclear_expired", "SessionBase.acreate", "SessionBase.adelete"),
            *("SessionBase.aexists", "SessionBase.aload", "SessionBase.asave"),
        ),
    ),
    _of_sessions(
        "django.contrib.sessions.backends.db",
        "sync_to_async",
        threads.sync_to_async,
        ("SessionStore.asave",),
    ),
    # It asks the cache synchronously, which for that of the database is a query.
    _of_sessions(
        "django.contrib.sessions.backends.cached_db.SessionStore", "aexists", hashing.in_portal
    ),
)
