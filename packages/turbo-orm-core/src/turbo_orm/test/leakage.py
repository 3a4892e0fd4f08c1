"""What must hold when a piece of work is done: every connection is back, idle."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from django.db import connections

from ..leases.holds import root_of
from ..pool import Pool, pools_of_running_loop

PATIENCE = 5.0


@contextlib.asynccontextmanager
async def leaks(*, within: float = PATIENCE) -> AsyncIterator[None]:
    """Fail if a connection of the running loop is not back in its pool after the block.

    In a test that rolls back, where no pool is used: if an ``atomic`` block is still open.

    Args:
        within: seconds that tasks and cleanup may still take.

    Raises:
        AssertionError: says which connections are missing, and what they are doing.
    """
    before = _open_blocks()
    yield
    deadline = time.monotonic() + within
    while missing := [*_connections_missing(), *_blocks_added(before)]:
        if time.monotonic() > deadline:
            raise AssertionError("; ".join(missing))
        await asyncio.sleep(0.005)


def _open_blocks() -> dict[str, int]:
    """Return how many blocks are open in each transaction of the test."""
    roots = {alias: root_of(alias) for alias in connections}
    return {alias: len(root.wrapper.atomic_blocks) for alias, root in roots.items() if root}


def _blocks_added(before: dict[str, int]) -> list[str]:
    return [
        f"{count - before.get(alias, count)} atomic blocks of database {alias!r} are still open"
        for alias, count in _open_blocks().items()
        if count > before.get(alias, count)
    ]


def _connections_missing() -> list[str]:
    return [found for pool in pools_of_running_loop() for found in _missing(pool)]


def _missing(pool: Pool) -> list[str]:
    found = [
        f"backend {connection.info.backend_pid} of database {pool.alias!r} was not given back "
        f"(transaction status: {pool.status(connection).name})"
        for connection in pool.lent()
    ]
    waiting = pool.stats().waiting
    if waiting:
        found.append(f"{waiting} operations wait for a connection of database {pool.alias!r}")
    return found
