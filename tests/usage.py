"""How many connections work takes."""

import asyncio

from turbo_orm import pool_stats


async def most_in_use(*work):
    """Do work side by side; return how many connections were out at once, and the results."""
    highest = 0

    async def watch():
        nonlocal highest
        while True:
            highest = max(highest, pool_stats().in_use)
            await asyncio.sleep(0)

    watching = asyncio.ensure_future(watch())
    try:
        results = await asyncio.gather(*work)
    finally:
        watching.cancel()
    return highest, results
