"""One system in a process of its own: takes orders as lines of JSON, answers each with one line.

Started by crew.py: python -m benchmarks.worker SYSTEM CONNINFO POOL_SIZE
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import itertools
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop

from .cases import CASES, CHECKED, many_arguments
from .peers import PEERS, NotAvailable, Peer

TASKS = Path("/proc/self/task")
Operation = Callable[..., Awaitable[Any]]


class Worker:
    """Carry out the orders for one peer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        # Every order goes on where the last one stopped.
        self.arguments = {
            name: itertools.cycle(many_arguments(case)) for name, case in CASES.items()
        }

    async def check(self, case: str) -> int:
        """Compare the results of a few operations with what is known; return how many rows."""
        rows = 0
        operation = getattr(self.peer, case)
        async with self.peer.in_task():
            for arguments in itertools.islice(self.arguments[case], CHECKED):
                answer = await operation(*arguments)
                found = answer if isinstance(answer, list) else [answer]
                expected = CASES[case].expected(*arguments)
                got = [self.peer.row(item) for item in found]
                if got != expected:
                    raise AssertionError(f"{case}{arguments}: {got} instead of {expected}")
                rows += len(found)
        return rows

    async def spend(self, case: str, tasks: int, seconds: float) -> dict[str, float]:
        """Let tasks repeat an operation for some time, and return what one took of time and CPU."""
        run = Run(getattr(self.peer, case), self.arguments[case], tasks, seconds)
        await asyncio.gather(*(run.repeat(self.peer) for _ in range(tasks)))
        return {
            "wall": (run.ended - run.began) / run.done * 1e6,
            "cpu": run.cpu / run.done * 1e6,
            "queued": run.queued / run.done * 1e6,
            "operations": run.done,
        }

    async def build(self, shape: str, seconds: float) -> dict[str, float]:
        """Return what building and compiling one query costs."""
        from .micro import spend_on_building

        return await spend_on_building(self.peer, shape, seconds)

    async def versions(self) -> dict[str, str]:
        """Return the versions of what the peer is built on."""
        return {name: importlib.metadata.version(name) for name in self.peer.distributions}


class Run:
    """Tasks that begin together once each has done one operation: threads and pools are warm."""

    def __init__(
        self, operation: Operation, arguments: Iterator[tuple[Any, ...]], tasks: int, seconds: float
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.waiting_for = tasks
        self.running = tasks
        self.seconds = seconds
        self.ready = asyncio.Event()
        self.done = 0
        self.began = self.ended = self.cpu = self.queued = 0.0
        self.before: dict[str, float] = {}

    async def repeat(self, peer: Peer) -> None:
        """Repeat the operation in one task until the time is over."""
        operation, arguments, clock = self.operation, self.arguments, time.perf_counter
        done = 0
        async with peer.in_task():
            await operation(*next(arguments))
            await self.begin_together()
            deadline = self.began + self.seconds
            while clock() < deadline:
                await operation(*next(arguments))
                done += 1
            self.done += done
            self.running -= 1
            if not self.running:
                self.ended = clock()
                self.cpu = time.process_time() - self.cpu
                self.queued = sum(
                    seconds - self.before.get(thread, 0.0)
                    for thread, seconds in seconds_in_queue().items()
                )

    async def begin_together(self) -> None:
        """Wait for the other tasks; the last one to come starts the clocks."""
        self.waiting_for -= 1
        if not self.waiting_for:
            self.began = time.perf_counter()
            self.cpu = time.process_time()
            self.before = seconds_in_queue()
            self.ready.set()
        await self.ready.wait()


def seconds_in_queue() -> dict[str, float]:
    """Return by thread how long it could have run but had to wait for a core; empty if unknown."""
    found = {}
    for thread in TASKS.glob("*"):
        # It may end meanwhile.
        with contextlib.suppress(OSError):
            # "time on a core, time in a queue, time slices", in nanoseconds
            found[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return found


async def orders() -> asyncio.StreamReader:
    """Return standard input as a stream: a thread that reads it would be one too many."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def serve(system: str, conninfo: str, size: int) -> None:
    """Start the peer, then answer every order until there are no more."""
    answers = sys.stdout
    # Whatever a library prints must not be taken for an answer.
    sys.stdout = sys.stderr

    def answer(**content: Any) -> None:
        print(json.dumps(content), file=answers, flush=True)

    try:
        peer = PEERS[system].load()(conninfo, size)
        await peer.start()
    except (NotAvailable, ImportError) as error:
        answer(unavailable=str(error))
        return
    worker = Worker(peer)
    answer(result=await worker.versions())
    try:
        reader = await orders()
        while line := await reader.readline():
            order = json.loads(line)
            try:
                answer(result=await getattr(worker, order.pop("order"))(**order))
            except NotAvailable as error:
                answer(unavailable=str(error))
    finally:
        await peer.stop()


def main() -> None:
    """Serve the system that is named on the command line."""
    system, conninfo, size = sys.argv[1:]
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    uvloop.run(serve(system, conninfo, int(size)))


if __name__ == "__main__":
    main()
