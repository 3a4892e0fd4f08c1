"""Blocks of coroutines for which a synchronous caller waits: on its connection, in its thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections.abc import AsyncGenerator, Sequence
from contextvars import Context, ContextVar
from types import TracebackType
from typing import Any, NamedTuple

from django.db.transaction import Atomic, TransactionManagementError

from ..awaited import is_awaited
from ..bridge import frames_around, on_event_loop
from ..callers import Caller, call_at_once, call_back, own_turn
from ..tasks import start_at_once
from . import driven
from .atomics import alias_of, child_error
from .errands import completed

logger = logging.getLogger("turbo_orm")

_inside: ContextVar[tuple[CallersBlock, ...]] = ContextVar("turbo_orm.callers_blocks", default=())
# The event loop alone would let them be collected.
_leaving: set[asyncio.Task[Any]] = set()


class Opened(NamedTuple):
    """One of Django's blocks that has been entered.

    Args:
        atomic: the block.
        watches: references that tell of dropped generators of which the end is its end.
    """

    atomic: Atomic
    watches: list[weakref.ref[Any]]


class CallersBlock:
    """A block that code on the loop has open on the connection of its caller.

    Args:
        caller: who waits.
        alias: the database.
        outer: the block that is open there already, in which this code is.
    """

    def __init__(self, caller: Caller, alias: str, outer: CallersBlock | None) -> None:
        self.caller = caller
        self.alias = alias
        self.outer = outer
        self.task = asyncio.current_task()
        self.gone = asyncio.Event()
        # Django's blocks, outermost first: all of one task.
        self.entered: list[Opened] = []

    def includes_context(self) -> bool:
        """Tell whether the running code was started inside the block."""
        return self in _inside.get()

    def admits_context(self) -> bool:
        """Tell whether the running code is inside the block, or awaited there."""
        if self.includes_context() or is_awaited(asyncio.current_task(), self._includes):
            return True
        return self.includes_step()

    def includes_step(self) -> bool:
        """Tell whether the running code is a step of one of the block's generators.

        Each ``anext()`` may have a task of its own, and with it a context that is in no block.
        """
        known = [watch for opened in self.entered for watch in opened.watches]
        steps = [(generator, self) for generator in driven.stepping(known)]
        found = driven.block_of_step(steps, frames_around(), lambda *_: False)
        return found is not None

    def _includes(self, context: Context, task: asyncio.Task[Any] | None) -> bool:
        return task is self.task or self in (context.get(_inside) or ())

    def open_of(self, atomic: Atomic) -> Opened | None:
        """Return what was entered last of one of Django's blocks, None if it has been left."""
        return next((each for each in reversed(self.entered) if each.atomic is atomic), None)

    def forget(self, atomic: Atomic) -> None:
        """Note that one of Django's blocks is being left."""
        opened = self.open_of(atomic)
        if opened is not None:
            self.entered.remove(opened)

    def close(self, atomic: Atomic) -> None:
        """Note that one of Django's blocks has been left; the last lets others go on."""
        self.forget(atomic)
        self.end_if_left()

    def end_if_left(self) -> None:
        """Let others use the connection if all of Django's blocks have been left."""
        if not self.entered and not self.gone.is_set():
            self.end()

    def end(self) -> None:
        """Let others use the connection."""
        if self.outer is not None:
            self.caller.blocks[self.alias] = self.outer
        else:
            self.caller.blocks.pop(self.alias, None)
        self.gone.set()
        _forget_ended()

    def abandon(self) -> None:
        """Roll the block back, in the caller's thread: the caller stops waiting."""
        error = TransactionManagementError(
            f"A coroutine left an atomic block of database {self.alias!r} open when the "
            "`async_to_sync` that called it returned"
        )
        block: CallersBlock | None = self
        while block is not None:
            while block.entered:
                with contextlib.suppress(Exception):
                    block.entered.pop().atomic.__exit__(type(error), error, None)
            block = block.outer


def _forget_ended(*begun: CallersBlock) -> None:
    """Let this context be in the blocks that are still open, and in those that have just begun."""
    _inside.set((*(block for block in _inside.get() if not block.gone.is_set()), *begun))


async def open_block(caller: Caller, alias: str, atomic: Atomic) -> CallersBlock:
    """Wait for the turn of this task's blocks on a caller's connection, and take it.

    Blocks of tasks that are in none of each other's wait for one another whatever their database:
    the one thread runs the statements of both, and each would wait there for the other's end.
    """
    await own_turn(caller)
    block: Any = caller.blocks.get(alias)
    if block is None or block.task is not asyncio.current_task():
        # Of a task that was started in the block: tasks like it wait for one another.
        block = caller.blocks[alias] = CallersBlock(caller, alias, block)
        _forget_ended(block)
    block.entered.append(Opened(atomic, []))
    return block  # type: ignore[no-any-return]


async def enter_at_caller(
    caller: Caller, atomic: Atomic, generators: Sequence[AsyncGenerator[Any, Any]] = ()
) -> None:
    """Enter a block in the thread of the caller, for a coroutine.

    Args:
        caller: who waits.
        atomic: the block.
        generators: the asynchronous generators of which the end is its end.

    Raises:
        TransactionManagementError: it is inside the block of another task.
    """
    alias = alias_of(atomic)
    around: Any = caller.blocks.get(alias)
    inside = around is not None and around.includes_context()
    if inside and around.task is not asyncio.current_task():
        raise child_error(alias)
    block = await open_block(caller, alias, atomic)
    try:
        _, cancelled = await completed(call_back(caller, atomic.__enter__))
    except BaseException:
        block.close(atomic)
        raise
    if cancelled is not None:
        # Nobody else would leave it.
        await leave_at_caller(caller, atomic, type(cancelled), cancelled, None)
        raise cancelled
    _watch(caller, block, generators)


def _watch(caller: Caller, block: CallersBlock, generators: Sequence[Any]) -> None:
    atomic, watches = block.entered[-1]

    def dropped(_: object) -> None:
        loop = caller.loop
        if loop is None or loop.is_closed():
            return
        if on_event_loop() and asyncio.get_running_loop() is loop:
            abandon_at_caller(caller, atomic)
        else:
            with contextlib.suppress(RuntimeError):  # it is closed by now
                loop.call_soon_threadsafe(abandon_at_caller, caller, atomic)

    watches += [weakref.ref(generator, dropped) for generator in generators]


async def leave_at_caller(
    caller: Caller,
    atomic: Atomic,
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> None:
    """Leave a block in the thread of the caller, for a coroutine.

    Raises:
        TransactionManagementError: the block was not entered by this task.
    """
    alias, task = alias_of(atomic), asyncio.current_task()

    async def leave() -> None:
        await own_turn(caller, alias)
        block: Any = caller.blocks.get(alias)
        if block is None or not (block.task is task or block.includes_step()):
            raise TransactionManagementError(
                f"The atomic block of database {alias!r} was left in a context that is not in it. "
                "Enter and leave a block in the same task."
            )
        try:
            await call_back(caller, atomic.__exit__, (kind, error, traceback))
        finally:
            block.close(atomic)

    try:
        # Also while it waits: nobody else would leave the block.
        _, cancelled = await completed(leave())
    finally:
        _forget_ended()
    if cancelled is not None:
        raise cancelled


def abandon_at_caller(caller: Caller, atomic: Atomic) -> asyncio.Task[None] | None:
    """Roll back a block whose code is closed or dropped, before the thread does anything else.

    Args:
        caller: who waits.
        atomic: the block.

    Returns:
        The task that rolls back; None if the block has been left already.
    """
    block: Any = caller.blocks.get(alias_of(atomic))
    while block is not None and block.open_of(atomic) is None:
        block = block.outer
    if block is None:
        return None
    block.forget(atomic)
    leaving = start_at_once(_roll_back(block, atomic))
    _leaving.add(leaving)
    leaving.add_done_callback(_leaving.discard)
    return leaving


async def _roll_back(block: CallersBlock, atomic: Atomic) -> None:
    try:
        await call_at_once(atomic.__exit__, (GeneratorExit, GeneratorExit(), None), {})
    except Exception:
        logger.exception("A closed block of %r failed to end", block.alias)
    finally:
        block.end_if_left()
