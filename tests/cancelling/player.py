"""What the nodes of a program do, on a database or on what stands for one."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import anyio

from tests.cancelling.programs import Node
from tests.cancelling.stage import Stage, joining

# Given to the nodes that are tasks of a group, and to the pause in a stream.
SECOND, THIRD, PAUSE = 10_000, 20_000, 30_000
# Seconds, for a timer that is only ever set off.
NEVER = 10_000_000

_timer: ContextVar[Any] = ContextVar("timer")


def noting_timers(original: Callable[[float | None], Any]) -> Callable[[float | None], Any]:
    """Return an ``asyncio.timeouts.timeout`` of which a program can find the timer."""

    def timeout(delay: float | None) -> Any:
        timer = original(delay)
        _timer.set(timer)
        return timer

    return timeout


def shape(error: BaseException) -> Any:
    """Return what of an error must be the same."""
    if inner := getattr(error, "exceptions", None):
        return [type(error).__name__, *sorted(str(shape(each)) for each in inner)]
    return type(error).__name__


class Player:
    """Plays a program on a stage.

    Args:
        stage: where each wait is a gate.
        database: has the statements and blocks.
    """

    def __init__(self, stage: Stage, database: Any) -> None:
        self.stage = stage
        self.database = database

    async def body(self, nodes: Node) -> None:
        """Play one node after another."""
        for node in nodes:
            await self.play(node)

    async def play(self, node: Node) -> None:
        """Play a node, and note what came of it."""
        number, kind, *parts = node
        with self.noted(number):
            await getattr(self, kind)(number, *parts)

    @contextlib.contextmanager
    def noted(self, number: int) -> Iterator[None]:
        """Note what comes of a node."""
        try:
            yield
        except BaseException as error:
            self.stage.note(number, shape(error))
            raise
        self.stage.note(number, "done")

    def set_off(self, number: int, timer: Any) -> Callable[[], None]:
        """Return what lets the time of a timeout be up."""

        def fire() -> None:
            del self.stage.targets[number]
            timer.reschedule(asyncio.get_running_loop().time() - 1)

        return fire

    async def pause(self, number: int) -> None:
        await self.stage.pause(number)

    async def insert(self, number: int) -> None:
        await self.database.insert(number)

    async def slow(self, number: int) -> None:
        await self.database.slow(number)

    async def block(self, number: int, nodes: Node) -> None:
        async with self.database.block(number):
            await self.body(nodes)

    async def work(self, number: int, nodes: Node) -> None:
        await self.database.work(self, number, nodes)

    async def iterate(self, number: int) -> None:
        await self.database.iterate(number)

    async def stream(self, number: int) -> None:
        seen = 0
        async with contextlib.aclosing(self.database.stream(number)) as rows:
            async for _ in rows:
                seen += 1
                if seen == 1:
                    await self.stage.pause(PAUSE + number)
                if seen == 3 and number % 2:
                    break
        self.stage.note(number, seen)

    async def timeout(self, number: int, nodes: Node) -> None:
        async with asyncio.timeout(None) as timer:
            with self.stage.target(number, self.set_off(number, timer)):
                await self.body(nodes)

    async def wait_for(self, number: int, nodes: Node) -> None:
        async def waited_for() -> None:
            with self.stage.target(number, self.set_off(number, _timer.get())):
                await self.body(nodes)

        await asyncio.wait_for(waited_for(), NEVER)

    async def scope(self, number: int, nodes: Node) -> None:
        with anyio.CancelScope() as scope, self.stage.target(number, scope.cancel):
            await self.body(nodes)
        self.stage.note(number, scope.cancelled_caught)

    async def task(self, number: int, nodes: Node) -> None:
        task = self.stage.start(number, lambda: self.body(nodes))
        with joining():
            await task

    async def shield(self, number: int, nodes: Node) -> None:
        task = self.stage.start(number, lambda: self.body(nodes))
        with joining():
            await asyncio.shield(task)

    async def group(self, number: int, children: Node, nodes: Node) -> None:
        with contextlib.ExitStack() as stack:
            async with asyncio.TaskGroup() as group:
                for child, name in zip(children, (SECOND, THIRD), strict=False):
                    act = self.stage.act(name + number, lambda child=child: self.body(child))
                    group.create_task(act)
                try:
                    await self.body(nodes)
                finally:
                    stack.enter_context(joining())

    async def fails(self, number: int) -> None:
        raise LookupError(number)

    async def catch(self, number: int, nodes: Node) -> None:
        try:
            await self.body(nodes)
        except Exception as error:
            self.stage.note(number, f"caught {shape(error)}")

    async def swallow(self, number: int, nodes: Node) -> None:
        try:
            await self.body(nodes)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if sys.version_info >= (3, 11) and task is not None:
                task.uncancel()
            self.stage.note(number, "swallowed")

    async def cleanup(self, number: int, nodes: Node, cleanup: Node) -> None:
        try:
            await self.body(nodes)
        finally:
            await self.body(cleanup)
