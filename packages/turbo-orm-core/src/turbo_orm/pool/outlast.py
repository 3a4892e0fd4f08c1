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
    end: asyncio.TimerHandle | None = None
    try:
        while not cleanup.done():
            try:
                await asyncio.wait({cleanup})
            except asyncio.CancelledError:
                end = end or loop.call_later(grace, cleanup.cancel)
    finally:
        if end is not None:
            end.cancel()
