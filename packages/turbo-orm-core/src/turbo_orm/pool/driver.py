"""Names of psycopg and psycopg_pool that are not in their documentation, checked at start-up.

A release of psycopg may rename any of them. Then queries could hang, or run at once on one
connection: it is better to refuse to start. A new use of such a name needs a row in this table.
"""

from __future__ import annotations

import functools
from importlib.metadata import version

from django.core.exceptions import ImproperlyConfigured

from ..foreign import PrivateName

_of_connections = functools.partial(PrivateName, "psycopg.Connection")
_of_async_connections = functools.partial(PrivateName, "psycopg.AsyncConnection")
_of_pools = functools.partial(PrivateName, "psycopg_pool.AsyncConnectionPool")

TABLE = (
    # The face of a connection shares them with the connection behind it, or keeps its own.
    *(
        _of_connections(name, ("__init__",))
        for name in (
            *("_adapters", "_autocommit", "_begin_statement", "_deferrable", "_isolation_level"),
            *("_notice_handlers", "_notify_handlers", "_pipeline", "_prepared", "_read_only"),
        )
    ),
    # The face replaces these: psycopg must take its lock, and call its wait() and its setter.
    _of_connections("lock", ("commit", "rollback")),
    _of_connections("wait", ("commit", "rollback")),
    PrivateName("psycopg.Cursor", "lock", ("execute",)),
    PrivateName("psycopg.Cursor", "wait", ("execute",)),
    _of_connections("_set_autocommit", ("autocommit",)),
    # Set to None, it keeps psycopg from warning of a connection that nobody closes.
    _of_connections("_pool", ("__del__",)),
    _of_async_connections("_pool", ("__del__",)),
    _of_async_connections("_adapters", ("__init__",)),
    _of_async_connections("_prepared", ("__init__",)),
    # A pooled connection replaces these.
    PrivateName("psycopg.AsyncCursor", "wait", ("execute",)),
    _of_async_connections("wait", ("commit", "rollback")),
    _of_async_connections("wait_async", ("wait",)),
    _of_async_connections("_try_cancel", ("wait",)),
    # Who has a connection, and which tasks a pool has started.
    _of_pools("_pool", ("_add_to_pool", "_close_connection", "_getconn_unchecked")),
    _of_pools("_sched_runner", ("__init__",)),
    _of_pools("_workers", ("__init__",)),
    _of_pools("timeout", ("__init__", "getconn")),
    # Who waits for a connection, and who of them was given up.
    _of_pools("_waiting", ("_add_to_pool", "_getconn_unchecked")),
    PrivateName("psycopg_pool.pool_async.WaitingClient", "error", ("set", "wait")),
)


@functools.lru_cache(maxsize=1)
def check_driver() -> None:
    """Check that psycopg and psycopg_pool have all that is used of them.

    Raises:
        ImproperlyConfigured: a name of the table is gone, or is not used where it was.
    """
    for row in TABLE:
        _check(row)


def _check(row: PrivateName) -> None:
    fault = row.fault()
    if fault is not None:
        raise ImproperlyConfigured(
            f"Turbo ORM uses {row.path}, which is not documented, but in {_installed()} {fault}. "
            "Install a version of Turbo ORM that knows this psycopg, or an older psycopg: "
            "`pip install 'psycopg[binary,pool]~=3.3.6' 'psycopg_pool~=3.3.3'`."
        )


def _installed() -> str:
    return f"psycopg {version('psycopg')} with psycopg_pool {version('psycopg_pool')}"
