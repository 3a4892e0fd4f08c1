"""One system in a process of its own: takes orders as lines of JSON, answers each with one line.

Started by crew.py: python -m benchmarks.worker SYSTEM CONNINFO POOL_SIZE
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import itertools
import json
import os
import sys
from collections.abc import Coroutine, Iterator
from typing import Any

import psycopg
import uvloop

from .cases import ALL_CASES, CHECKED, Case, many_arguments
from .footprint import Footprint
from .peers import PEERS, NotAvailable, Peer
from .timing import Run

# No system writes more rows in a second; each write is of a row of its own.
WRITES_PER_SECOND = 20_000
WRITES_AT_LEAST = 2_000


class Worker:
    """Carry out the orders for one peer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        # It makes the tables ready, and looks at what was written.
        self.own = psycopg.connect(peer.conninfo, autocommit=True)
        # Every order goes on where the last one stopped.
        self.arguments: dict[str, Iterator[tuple[Any, ...]]] = {}

    def arguments_for(self, case: Case, seconds: float = 0) -> Iterator[tuple[Any, ...]]:
        """Return the arguments of the next operations; make the tables ready if they write."""
        if case.writing is not None:
            count = WRITES_AT_LEAST + int(seconds * WRITES_PER_SECOND)
            for statement in case.writing.prepare.split(";"):
                self.own.execute(statement.replace("%(count)s", str(count)))
            return (case.nth(number) for number in itertools.count(1))
        if case.name not in self.arguments:
            self.arguments[case.name] = itertools.cycle(many_arguments(case))
        return self.arguments[case.name]

    async def check(self, case: str) -> int:
        """Compare what a few operations answer and leave with what is known; return how many."""
        known = ALL_CASES[case]
        operation = getattr(self.peer, case)
        given = list(itertools.islice(self.arguments_for(known), CHECKED))
        async with self.peer.in_request():
            for arguments in given:
                self.compare_answer(known, arguments, await operation(*arguments))
        if known.writing is not None:
            found = [tuple(row) for row in self.own.execute(known.writing.shows).fetchall()]
            expected = known.writing.expected(given)
            if found != expected:
                raise AssertionError(f"{case} left {found[:3]}... instead of {expected[:3]}...")
        return len(given)

    def compare_answer(self, case: Case, arguments: tuple[Any, ...], answer: Any) -> None:
        """Compare one answer with what it must be."""
        if case.expected is None:
            return
        found = list(answer) if case.many else [answer]
        read = getattr(self.peer, case.read) if case.read else lambda item: item
        got, expected = [read(item) for item in found], case.expected(*arguments)
        if got != expected:
            raise AssertionError(f"{case.name}{arguments}: {got} instead of {expected}")

    async def spend(
        self, case: str, tasks: int, seconds: float, fixed: list[Any] | None = None
    ) -> dict[str, float]:
        """Let tasks repeat an operation for some time, and return what one took of time and CPU."""
        arguments = (
            self.arguments_for(ALL_CASES[case], seconds)
            if fixed is None
            else itertools.repeat(tuple(fixed))
        )
        return await Run(getattr(self.peer, case), arguments, seconds).spend(self.peer, tasks)

    async def build(self, shape: str, seconds: float) -> dict[str, float]:
        """Return what building and compiling one query costs."""
        from .micro import spend_on_building

        return await spend_on_building(self.peer, shape, seconds)

    async def footprint(self, tasks: int) -> dict[str, float]:
        """Return what operations in flight cost; nobody else may use the database meanwhile."""
        return await Footprint(self.peer, self.own).measure(tasks)

    async def versions(self) -> dict[str, str]:
        """Return the versions of what the peer is built on."""
        return {name: importlib.metadata.version(name) for name in self.peer.distributions}


async def orders() -> asyncio.StreamReader:
    """Return standard input as a stream: a thread that reads it would be one too many."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def apart(order: Coroutine[Any, Any, Any]) -> Any:
    """Carry out an order in a context of its own, as a server does with each request.

    A connection that a library keeps in the context must not be handed on to the next one.
    """
    return await asyncio.create_task(order)


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
                answer(result=await apart(getattr(worker, order.pop("order"))(**order)))
            except NotAvailable as error:
                answer(unavailable=str(error))
    finally:
        worker.own.close()
        await peer.stop()


def main() -> None:
    """Serve the system that is named on the command line."""
    system, conninfo, size = sys.argv[1:]
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    uvloop.run(serve(system, conninfo, int(size)))


if __name__ == "__main__":
    main()
