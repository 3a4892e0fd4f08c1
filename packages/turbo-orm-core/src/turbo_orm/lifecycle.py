"""Open, close and look at the pools of the running event loop, and what can have one."""

from __future__ import annotations

from django.db import connections

from .connection.engine import all_postgresql, is_postgresql
from .first_use import prepare
from .pool import PoolStats, close_pools, get_pool, pool_stats

__all__ = ["PoolStats", "can_await_all", "close_pools", "open_pools", "pool_stats"]


def can_await_all() -> bool:
    """Tell whether every database of ``DATABASES`` can be used through the bridge.

    Where one cannot, such as SQLite, synchronous code that may use it needs a thread.
    """
    return all_postgresql()


async def open_pools(*aliases: str) -> None:
    """Open pools now and wait for one working connection in each.

    Args:
        *aliases: the database aliases; all PostgreSQL ones if none is given.

    Raises:
        OperationalError: a server cannot be reached.
        ConnectionDoesNotExist: there is no such alias.
        ImproperlyConfigured: an alias given is not a PostgreSQL database.

    Pools also open by themselves when first used; this makes a wrong setting fail at start-up.
    """
    prepare()
    for alias in aliases or [alias for alias in connections.settings if is_postgresql(alias)]:
        pool = get_pool(alias)
        pool.take_back(await pool.lend())
