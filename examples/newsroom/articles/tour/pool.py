"""What the pool tells of itself, in one line."""

from __future__ import annotations

import asyncio

from turbo_orm import PoolStats, pool_stats

from .report import expect

# Hundredths of a second that a connection which is being opened may take.
ROUNDS = 500


async def settled() -> PoolStats:
    """Return the statistics once nothing is lent or being opened; fail if that never comes."""
    for _ in range(ROUNDS):
        stats = pool_stats()
        if not stats.in_use:
            break
        await asyncio.sleep(0.01)
    expect("connections still lent", stats.in_use, 0)
    expect("operations still waiting", stats.waiting, 0)
    expect("requests that got no connection", stats.requests_errors, 0)
    expect("connections within the limit", stats.size <= stats.max_size, True)
    return stats


async def pool_line() -> str:
    """Put the statistics of the quiet pool into one line."""
    stats = await settled()
    return (
        f"{stats.requests} requests on {stats.size} connections (limit {stats.max_size}), "
        f"{stats.requests_queued} queued"
    )
