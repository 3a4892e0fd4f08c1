"""What operations in flight cost in memory, and how many of the server's processes they occupy."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from .peers import NotAvailable, Peer

STATM = Path("/proc/self/statm")
BACKENDS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
LOOK_EVERY = 0.02


class Footprint:
    """The largest memory and the most backends seen while operations are in flight."""

    def __init__(self, peer: Peer, connection: psycopg.Connection[Any]) -> None:
        self.peer = peer
        self.connection = connection
        self.memory = 0
        self.backends = 0

    async def measure(self, tasks: int) -> dict[str, float]:
        """Return KiB for each of so many operations that wait at once, and the backends used."""
        # Whatever is made only once must not be counted.
        await self.sleep_in(1)
        gc.collect()
        before = resident()
        with self.watching():
            await self.sleep_in(tasks)
        return {
            "kib": (self.memory - before) / tasks / 1024,
            "backends": self.backends,
            "before_mib": before / 1024**2,
        }

    async def sleep_in(self, tasks: int) -> None:
        """Let so many tasks wait for the view that takes its time."""
        await asyncio.gather(*(self.sleep() for _ in range(tasks)))

    async def sleep(self) -> None:
        """Wait in a request of its own."""
        async with self.peer.in_request():
            await self.peer.nap()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look at memory and backends until the block ends."""
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle | None = None

        def look() -> None:
            nonlocal handle
            self.memory = max(self.memory, resident())
            row = self.connection.execute(BACKENDS).fetchone()
            assert row is not None
            self.backends = max(self.backends, row[0])
            handle = loop.call_later(LOOK_EVERY, look)

        look()
        try:
            yield
        finally:
            assert handle is not None
            handle.cancel()


def resident() -> int:
    """Return how much memory the process occupies, in bytes."""
    if not STATM.exists():
        raise NotAvailable("only Linux tells a process its memory")
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
