"""What must hold when a piece of work is done: every connection is back, idle."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from ..pool import Pool, pools_of_running_loop

PATIENCE = 5.0


@contextlib.asynccontextmanager
async def leaks(*, within: float = PATIENCE) -> AsyncIterator[None]:
    """Fail if a connection of the running loop is not back in its pool after the block.

    Args:
        within: seconds that tasks and cleanup may still take.

    Raises:
        AssertionError: says which connections are missing, and what they are doing.
    """
    yield
    deadline = time.monotonic() + within
    while missing := [found for pool in pools_of_running_loop() for found in _missing(pool)]:
        if time.monotonic() > deadline:
            raise AssertionError("; ".join(missing))
        await asyncio.sleep(0.005)


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
