"""Let requests wait for each other, so that all of them are at the same point at once."""

import asyncio
import time
from collections import Counter

PATIENCE = 60.0
USERS = 6

_arrived = Counter()


def forget():
    _arrived.clear()


async def ameet(point, count=USERS):
    _arrived[point] += 1
    deadline = time.monotonic() + PATIENCE
    while _arrived[point] < count:
        assert time.monotonic() < deadline, f"{_arrived[point]} of {count} at {point}"
        await asyncio.sleep(0.002)


def meet(point, count=USERS):
    _arrived[point] += 1
    deadline = time.monotonic() + PATIENCE
    while _arrived[point] < count:
        assert time.monotonic() < deadline, f"{_arrived[point]} of {count} at {point}"
        time.sleep(0.002)
