"""Clean-up that goes on although the task that waits for it is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

# Seconds between cancellations of what goes on although it was cancelled. Before Python 3.12
# `asyncio.wait_for`, with which psycopg looks at sockets ten times a second, loses one that comes
# as its time is up: https://github.com/python/cpython/issues/86296
AGAIN = 0.05


async def outlast(cleanup: asyncio.Task[Any], grace: float) -> None:
    """Wait for a task through cancellations of this one; they are not delivered here.

    Args:
        cleanup: what must be done, which is bounded by itself.
        grace: seconds that it may still take after a cancellation; then it is cancelled too, until
            it has ended.

    A cancel scope of anyio cancels a task anew in each round of the loop until it has ended.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.TimerHandle | None = None

    def give_up() -> None:
        nonlocal end
        cleanup.cancel()
        end = loop.call_later(AGAIN, give_up)

    try:
        while not cleanup.done():
            try:
                await asyncio.wait({cleanup})
            except asyncio.CancelledError:
                end = end or loop.call_later(grace, give_up)
    finally:
        if end is not None:
            end.cancel()
