"""What must hold after every test: all connections back and idle, nothing waiting."""

import asyncio
from fnmatch import fnmatchcase

import psycopg
from django.db import connections

from tests.waiting import until
from turbo_orm import run_sync
from turbo_orm.pool import get_pool

# Of what may lose a connection, or the right to one. Filling the pool takes a tenth of a second.
FILLED = (
    "faults/*",
    "integration/*test_asgi_disconnect.py",
    "integration/*atomic*",
    "integration/*concurren*",
    "integration/*connection*",
    "integration/*gather*",
    "integration/*limit*",
    "integration/*pool*",
    "integration/*stream*",
    "integration/*transaction*",
)
BUSY = (
    "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
)


def is_filled(file: str) -> bool:
    """Tell whether the pool is filled after each test of a file, relative to this folder."""
    return any(fnmatchcase(file, pattern) for pattern in FILLED)


async def assert_at_rest(
    alias: str, *, fill: bool = True, watcher: psycopg.Connection | None = None
) -> None:
    """Assert the invariant for the pool of an alias, within ten seconds.

    Every connection is in the pool, nobody waits, no backend of ours is in a transaction, and as
    many connections as the pool may have can be lent at once.

    Args:
        alias: of the database.
        fill: whether to lend so many; else those that are there are lent.
        watcher: a connection that asks the server; else one of the pool does, which takes four
            times as long where it is new.
    """
    pool = get_pool(alias)
    if pool._opening is None:
        return
    await until(lambda: _all_are_back(pool), told=pool.stats, within=10)
    await _assert_can_be_lent(pool, pool.stats().max_size if fill else pool.stats().size)
    # Pools of other aliases may just replace a connection that a test has ended.
    if watcher is None:
        await until(lambda: _nobody_is_busy(alias), within=10)
    else:
        await until(lambda: not _busy(watcher), told=lambda: _busy(watcher), within=10)


def _all_are_back(pool) -> bool:
    stats = pool.stats()
    return stats.idle == stats.size and stats.waiting == 0


async def _assert_can_be_lent(pool, count: int) -> None:
    lent = await asyncio.gather(*(pool.lend() for _ in range(count)))
    try:
        assert [c.info.transaction_status.name for c in lent] == ["IDLE"] * len(lent)
        assert [c.facade.autocommit for c in lent] == [True] * len(lent)
    finally:
        for connection in lent:
            pool.take_back(connection)


async def _nobody_is_busy(alias: str) -> bool:
    return not await run_sync(_busy_backends, alias)


def _busy_backends(alias: str) -> list[tuple]:
    with connections[alias].cursor() as cursor:
        cursor.execute(BUSY)
        return cursor.fetchall()


def _busy(watcher: psycopg.Connection) -> list[tuple]:
    return watcher.execute(BUSY, prepare=True).fetchall()
