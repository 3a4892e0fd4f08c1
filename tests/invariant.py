"""What must hold after every test: all connections back and idle, nothing waiting."""

import asyncio

from django.db import connections

from tests.waiting import until
from turbo_orm import run_sync
from turbo_orm.pool import get_pool


async def assert_at_rest(alias: str) -> None:
    """Assert the invariant for the pool of an alias, within ten seconds.

    Every connection is in the pool, nobody waits, no backend of ours is in a transaction, and as
    many connections as the pool may have can be lent at once.
    """
    pool = get_pool(alias)
    if pool._opening is None:
        return
    await until(lambda: _all_are_back(pool), told=pool.stats, within=10)
    await _assert_all_can_be_lent(alias)
    # Pools of other aliases may just replace a connection that a test has ended.
    await until(lambda: _nobody_is_busy(alias), within=10)


def _all_are_back(pool) -> bool:
    stats = pool.stats()
    return stats.idle == stats.size and stats.waiting == 0


async def _assert_all_can_be_lent(alias: str) -> None:
    pool = get_pool(alias)
    lent = await asyncio.gather(*(pool.lend() for _ in range(pool.stats().max_size)))
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
        cursor.execute(
            "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
        )
        return cursor.fetchall()
