"""Let ``session_settings`` hold on the connections of threads too: those of plain Django.

Until the first use of ``session_settings`` nothing of theirs is touched. Their connections are only
remembered, since each of them gets cursors that look at their statements at that first use.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.signals import connection_created

from .facade import BridgedConnection
from .watched import session_of, watched


class _Threads:
    """The connections of threads, and whether their statements are looked at."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connections: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()
        self.watched = False


_threads = _Threads()


def remember_connections() -> None:
    """Remember each connection of a thread from now on; safe to call again."""
    connection_created.connect(_remember, dispatch_uid="turbo_orm.connection.threads")


def _remember(*, connection: Any, **kwargs: Any) -> None:
    plain = getattr(connection, "connection", None)
    if isinstance(plain, BridgedConnection) or not isinstance(plain, psycopg.Connection):
        return
    unsteady = is_unsteady(connection.settings_dict)
    with _threads.lock:
        _threads.connections[plain] = unsteady
        if _threads.watched:
            _watch(plain, unsteady)


def is_unsteady(settings_dict: Any) -> bool:
    """Tell whether a database is declared to be behind a pooler that pools transactions."""
    return bool(settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


def are_watched() -> bool:
    """Tell whether ``session_settings`` was ever used in this process."""
    return _threads.watched


def watch_threads() -> None:
    """Look at the statements of threads from now on; safe to call again."""
    if _threads.watched:
        return
    with _threads.lock:
        module: Any = base
        if hasattr(module, "ServerSideCursor"):
            # Django 5.0 and newer do not ask the connection for the class of this one.
            module.ServerSideCursor = watched(module.ServerSideCursor)
        for plain, unsteady in list(_threads.connections.items()):
            _watch(plain, unsteady)
        _threads.watched = True


def _watch(plain: Any, unsteady: bool) -> None:
    session_of(plain)
    plain.turbo_unsteady = unsteady
    plain.cursor_factory = watched(plain.cursor_factory)
    plain.server_cursor_factory = watched(plain.server_cursor_factory)
