"""Tasks that repeat an operation for some time, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from .peers import Peer

THREADS = Path("/proc/self/task")
# A request makes a few queries: so many operations share what surrounds one.
PER_REQUEST = 10
Operation = Callable[..., Awaitable[Any]]


class Run:
    """Tasks that begin together and repeat an operation until the time is over."""

    def __init__(
        self, operation: Operation, arguments: Iterator[tuple[Any, ...]], seconds: float
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.seconds = seconds
        self.latencies: list[float] = []
        self.deadline = 0.0

    async def spend(self, peer: Peer, tasks: int) -> dict[str, float]:
        """Return in microseconds what an operation took, by the clock and of processors."""
        before, cpu = seconds_in_queue(), time.process_time()
        began = time.perf_counter()
        self.deadline = began + self.seconds
        await asyncio.gather(*(self.repeat(peer) for _ in range(tasks)))
        wall = time.perf_counter() - began
        cpu = time.process_time() - cpu
        after = seconds_in_queue()
        queued = sum(seconds - before.get(thread, 0.0) for thread, seconds in after.items())
        done = len(self.latencies)
        self.latencies.sort()
        return {
            "wall": wall / done * 1e6,
            "cpu": cpu / done * 1e6,
            "queued": queued / done * 1e6,
            "p50": self.percentile(0.5),
            "p99": self.percentile(0.99),
            "operations": done,
        }

    async def repeat(self, peer: Peer) -> None:
        """Let one task make requests, of a few operations each, until the time is over."""
        operation, arguments, clock = self.operation, self.arguments, time.perf_counter
        latencies, deadline, now = self.latencies, self.deadline, 0.0
        while now < deadline:
            async with peer.in_request():
                for _ in range(PER_REQUEST):
                    given = next(arguments)
                    began = clock()
                    await operation(*given)
                    now = clock()
                    latencies.append(now - began)
                    if now >= deadline:
                        break

    def percentile(self, share: float) -> float:
        """Return the time in microseconds that this share of the operations did not exceed."""
        found = self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]
        return found * 1e6


def seconds_in_queue() -> dict[str, float]:
    """Return by thread how long it could have run but had to wait for a core; empty if unknown."""
    found = {}
    for thread in THREADS.glob("*"):
        # It may end meanwhile.
        with contextlib.suppress(OSError):
            # "time on a core, time in a queue, time slices", in nanoseconds
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found
