"""The statements and blocks of a program: the ORM's, and those of a model on pure asyncio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

from tests.cancelling.programs import Node
from tests.cancelling.stage import Stage
from tests.testapp.models import Author, Tag
from turbo_orm import atomic, run_sync
from turbo_orm.bridge import in_bridge

# Rows of a stream, and how many come at once.
ROWS, CHUNK = 5, 2

_stage: ContextVar[Stage] = ContextVar("stage")
_ending: ContextVar[int | None] = ContextVar("ending", default=None)


def gated(original: Any) -> Any:
    """Return a ``PooledConnection.wait`` in which what cannot be interrupted begins at a gate."""

    async def wait(self: Any, gen: Any, *args: Any, **kwargs: Any) -> Any:
        number = _ending.get()
        if number is not None and self.facade.lock.shielding:
            stage = _stage.get()
            if number not in stage.passed:
                stage.passed.add(number)
                await stage.pause(number, shielded=True)
        return await original(self, gen, *args, **kwargs)

    return wait


class Orm:
    """Turbo ORM itself."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        _stage.set(stage)

    async def insert(self, number: int) -> None:
        await Author.objects.acreate(name=f"{number}")

    async def slow(self, number: int) -> None:
        await run_sync(self._slow, number)

    def _slow(self, number: int) -> None:
        connection.ensure_connection()
        source = connection.connection.source
        with self._stage.at_server(number, source), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [number])

    @asynccontextmanager
    async def block(self, number: int) -> AsyncIterator[None]:
        try:
            async with atomic():
                try:
                    yield
                finally:
                    _ending.set(number)
        finally:
            _ending.set(None)

    async def work(self, player: Any, number: int, nodes: Node) -> None:
        await _called(self._work, player, number, nodes)

    def _work(self, player: Any, number: int, nodes: Node) -> None:
        with _reset(), atomic():
            try:
                for inner, kind, *parts in nodes:
                    with player.noted(inner):
                        if kind == "insert":
                            Author.objects.create(name=f"{inner}")
                        elif kind == "slow":
                            self._slow(inner)
                        else:
                            self._work(player, inner, *parts)
            finally:
                _ending.set(number)

    async def iterate(self, number: int) -> None:
        await _called(self._iterate, number)

    def _iterate(self, number: int) -> None:
        _ending.set(number)
        with _reset():
            for _ in Tag.objects.order_by("pk").iterator(chunk_size=CHUNK):
                pass

    async def stream(self, number: int) -> Any:
        _ending.set(number)
        rows = Tag.objects.order_by("pk").aiterator(chunk_size=CHUNK)
        try:
            async for row in rows:
                yield row
        finally:
            try:
                await rows.aclose()
            finally:
                _ending.set(None)


async def _called(function: Any, *args: Any) -> None:
    """Call synchronous code as one may in a portal, or hand it to the bridge."""
    if in_bridge():
        function(*args)
    else:
        await run_sync(function, *args)


@contextmanager
def _reset() -> Any:
    try:
        yield
    finally:
        _ending.set(None)


class Unmodelled(Exception):
    """The program does what the model does not know of."""


class Frame:
    """An open block of the model."""

    def __init__(self, outer: "Frame | None") -> None:
        self.outer = outer
        self.rows: list[int] = []
        self.doomed = False


class Model:
    """What a database should do, with nothing but asyncio."""

    _frame: ContextVar[Frame | None] = ContextVar("frame", default=None)

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.rows: list[int] = []

    def _used(self) -> Frame | None:
        used = frame = self._frame.get()
        while frame is not None:
            if frame.doomed:
                # What Django says of a statement after an error.
                raise Unmodelled
            frame = frame.outer
        return used

    async def insert(self, number: int) -> None:
        frame = self._used()
        (self.rows if frame is None else frame.rows).append(number)

    async def slow(self, number: int) -> None:
        frame = self._used()
        try:
            await self._stage.pause(number)
        except asyncio.CancelledError:
            if frame is not None:
                frame.doomed = True
            raise

    @asynccontextmanager
    async def block(self, number: int) -> AsyncIterator[None]:
        outer = self._frame.get()
        frame = Frame(outer)
        self._frame.set(frame)
        try:
            yield
        except BaseException as error:
            self._frame.set(outer)
            kept = await self._kept(number)
            if isinstance(error, Exception | asyncio.CancelledError) and kept is not None:
                raise kept from error
            raise
        self._frame.set(outer)
        if frame.doomed:
            raise Unmodelled
        kept = await self._kept(number)
        (self.rows if outer is None else outer.rows).extend(frame.rows)
        if kept is not None:
            raise kept

    async def _kept(self, number: int) -> asyncio.CancelledError | None:
        """Wait at a gate that no cancellation opens; return the last one that came."""
        kept = None
        ending = asyncio.ensure_future(self._stage.pause(number, shielded=True))
        while not ending.done():
            try:
                await asyncio.wait({ending})
            except asyncio.CancelledError as error:
                kept = error
        return kept

    async def work(self, player: Any, number: int, nodes: Node) -> None:
        async with self.block(number):
            await player.body(nodes)

    async def iterate(self, number: int) -> None:
        self._used()
        if (kept := await self._kept(number)) is not None:
            raise kept

    async def stream(self, number: int) -> Any:
        self._used()
        ended = False

        async def end() -> None:
            nonlocal ended
            ended = True
            if (kept := await self._kept(number)) is not None:
                raise kept

        try:
            for row in range(ROWS):
                if row == ROWS - 1:
                    # The last rows are fewer than were asked for.
                    await end()
                yield row
        finally:
            if not ended:
                await end()
