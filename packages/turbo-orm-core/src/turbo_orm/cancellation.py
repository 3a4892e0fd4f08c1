"""Cancellations that come while something must not be interrupted: kept, and raised afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

# Seconds between cancellations of what goes on although it was cancelled. Before Python 3.12
# `asyncio.wait_for`, with which psycopg looks at sockets ten times a second, loses one that comes
# as its time is up: https://github.com/python/cpython/issues/86296
AGAIN = 0.05


def merged(
    earlier: asyncio.CancelledError | None, later: asyncio.CancelledError
) -> asyncio.CancelledError:
    """Return the one error that stands for two cancellations of which none was raised yet.

    Args:
        earlier: the first; None if there was none.
        later: the second.

    Returns:
        The later one, in the context of the earlier: as if clean-up after the first had been
        interrupted by the second. A cancel scope of anyio looks there for its own message.
    """
    if earlier is not None and earlier is not later:
        # A cancel scope of anyio repeats the same one in each round of the loop.
        repeated = earlier.args == later.args
        later.__context__ = earlier.__context__ if repeated else earlier
    return later


async def outlast(cleanup: asyncio.Task[Any], grace: float) -> asyncio.CancelledError | None:
    """Wait for a task through cancellations of this one.

    Args:
        cleanup: what must be done, which is bounded by itself.
        grace: seconds that it may still take after a cancellation; then it is cancelled too, until
            it has ended.

    Returns:
        The cancellation that came meanwhile, None if none did. The caller must raise it.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.TimerHandle | None = None
    kept: asyncio.CancelledError | None = None

    def give_up() -> None:
        nonlocal end
        cleanup.cancel()
        end = loop.call_later(AGAIN, give_up)

    try:
        while not cleanup.done():
            try:
                await asyncio.wait({cleanup})
            except asyncio.CancelledError as error:
                kept = merged(kept, error)
                end = end or loop.call_later(grace, give_up)
    finally:
        if end is not None:
            end.cancel()
    return kept
