"""Clean-up that goes on although the task that waits for it is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any


async def outlast(cleanup: asyncio.Task[Any], grace: float) -> None:
    """Wait for a task through cancellations of this one; they are not delivered here.

    Args:
        cleanup: what must be done, which is bounded by itself.
        grace: seconds that it may still take after a cancellation; then it is cancelled too.

    A cancel scope of anyio cancels a task anew in each round of the loop until it has ended.
    """
    loop = asyncio.get_running_loop()
    deadline: float | None = None
    while not cleanup.done():
        remaining = None if deadline is None else max(deadline - loop.time(), 0)
        try:
            await asyncio.wait({cleanup}, timeout=remaining)
        except asyncio.CancelledError:
            deadline = deadline or loop.time() + grace
        if deadline is not None and loop.time() >= deadline:
            cleanup.cancel()
