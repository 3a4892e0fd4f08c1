"""Blocks that guests open: each keeps its turn on the connection until it is left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextvars import Context, ContextVar
from functools import wraps
from types import TracebackType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.transaction import Atomic, TransactionManagementError

from ..awaited import is_awaited
from ..bridge import await_holding, await_shielded, in_bridge, on_event_loop
from ..callers import (
    Caller,
    call_back,
    current_caller,
    here,
    last_caller,
    note_closed,
    note_opening,
    own_turn,
)
from .errands import completed
from .in_threads import ThreadGuest
from .on_loops import NO_LIMIT, guest_on_loop

_inside: ContextVar[tuple[CallersBlock, ...]] = ContextVar("turbo_orm.callers_blocks", default=())
# The event loop alone would let them be collected.
_leaving: set[asyncio.Task[Any]] = set()


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
        self.entered: list[Atomic] = []

    def includes_context(self) -> bool:
        """Tell whether the running code was started inside the block."""
        return self in _inside.get()

    def admits_context(self) -> bool:
        """Tell whether the running code is inside the block, or awaited there."""
        return self.includes_context() or is_awaited(asyncio.current_task(), self._includes)

    def _includes(self, context: Context, task: asyncio.Task[Any] | None) -> bool:
        return task is self.task or self in (context.get(_inside) or ())

    def end(self) -> None:
        """Let others use the connection."""
        if self.outer is not None:
            self.caller.blocks[self.alias] = self.outer
        else:
            self.caller.blocks.pop(self.alias, None)
        _inside.set(tuple(block for block in _inside.get() if block is not self))
        self.gone.set()

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
                    block.entered.pop().__exit__(type(error), error, None)
            block = block.outer


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
        _inside.set((*_inside.get(), block))
    block.entered.append(atomic)
    return block  # type: ignore[no-any-return]


def _close_block(block: CallersBlock) -> None:
    if block.entered:
        block.entered.pop()
    if not block.entered:
        block.end()


def child_error(alias: str) -> TransactionManagementError:
    """Return the error of a task that opens a block inside the block of another."""
    return TransactionManagementError(
        f"A task started inside an atomic block of database {alias!r} cannot open a block of "
        "its own there: blocks of several tasks would interleave on the one connection. Open "
        "it in the task that opened the outer block, or start this task outside that block."
    )


def alias_of(atomic: Atomic) -> str:
    """Return the database of a block."""
    return atomic.using or DEFAULT_DB_ALIAS


# A coroutine's blocks: entered and left in the caller's thread.


async def enter_at_caller(caller: Caller, atomic: Atomic) -> None:
    """Enter a block in the thread of the caller, for a coroutine.

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
        _close_block(block)
        raise
    if cancelled is not None:
        # Nobody else would leave it.
        await leave_at_caller(caller, atomic, type(cancelled), cancelled, None)
        raise cancelled


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
    alias = alias_of(atomic)
    await own_turn(caller, alias)
    block: Any = caller.blocks.get(alias)
    if block is None or block.task is not asyncio.current_task():
        raise TransactionManagementError(
            f"The atomic block of database {alias!r} was left in a context that is not in it. "
            "Enter and leave a block in the same task."
        )
    try:
        _, cancelled = await completed(call_back(caller, atomic.__exit__, (kind, error, traceback)))
    finally:
        _close_block(block)
    if cancelled is not None:
        raise cancelled


def abandon_at_caller(caller: Caller, atomic: Atomic) -> None:
    """Leave a block whose coroutine is being closed, so that nothing may be awaited there."""
    leaving = asyncio.get_running_loop().create_task(
        leave_at_caller(caller, atomic, GeneratorExit, GeneratorExit(), None)
    )
    _leaving.add(leaving)
    leaving.add_done_callback(_leaving.discard)


# Django's own blocks, in a thread or in the bridge.


def enter_in_turn(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return an ``Atomic.__enter__`` that waits for the turn of a guest, and keeps it."""

    @wraps(original)
    def entered(self: Any) -> None:
        if here.host is None and last_caller() is None:
            original(self)
            return
        leave = _take_turn(self)
        try:
            original(self)
        except BaseException:
            leave()
            raise

    return entered


def exit_in_turn(original: Callable[..., None]) -> Callable[..., None]:
    """Return an ``Atomic.__exit__`` that ends the turn of a guest."""

    @wraps(original)
    def left(self: Any, *error: Any) -> None:
        if here.host is None and last_caller() is None:
            _exit(self, original, error)
            return
        leave = _last_turn(self)
        try:
            _exit(self, original, error)
        finally:
            leave()

    return left


def exit_block(atomic: Atomic, error: Any) -> None:
    """Call ``Atomic.__exit__``, and raise if a block would end without an error that was given up.

    Args:
        atomic: the innermost block.
        error: what ``__exit__`` is given.

    Raises:
        TransactionManagementError: a statement in the block was interrupted; it is rolled back.
    """
    _exit(atomic, type(atomic).__exit__, error)


def _exit(atomic: Atomic, leave: Callable[..., None], error: Any) -> None:
    wrapper: Any = connections[alias_of(atomic)]
    problem = getattr(wrapper, "given_up", None)
    if problem is None:
        leave(atomic, *error)
        return
    refused = wrapper.needs_rollback and error[0] is None
    try:
        leave(atomic, *((type(problem), problem, None) if refused else error))
    finally:
        if not wrapper.needs_rollback:
            wrapper.given_up = None
    if refused:
        raise problem


def _nothing() -> None:
    """Leave no turn: none was taken."""


def _take_turn(atomic: Atomic) -> Callable[[], None]:
    alias = alias_of(atomic)
    if on_event_loop():
        caller = current_caller() if in_bridge() else None
        if caller is None:
            return _nothing
        block = await_holding(open_block(caller, alias, atomic))
        try:
            host = guest_on_loop(caller, alias).host
            if isinstance(host, ThreadGuest):
                # Not interrupted: the thread would keep the turn, and nobody would release it.
                await_shielded(call_back(caller, host.keep), grace=NO_LIMIT)
        except BaseException:
            _close_block(block)
            raise
        return lambda: _give_back(caller, block, host)
    if here.host is None:
        return _nothing
    guest: Any = connections[alias]
    found = guest if isinstance(guest, ThreadGuest) else None
    if found is not None:
        found.keep()
    else:
        note_opening(alias, guest)
    here.kept.setdefault(alias, []).append(found)
    return lambda: _give_back_kept(alias)


def _last_turn(atomic: Atomic) -> Callable[[], None]:
    alias = alias_of(atomic)
    if on_event_loop():
        caller = current_caller() if in_bridge() else None
        block: Any = None if caller is None else caller.blocks.get(alias)
        if caller is None or block is None:
            return _nothing
        if not block.admits_context() or block.task is not asyncio.current_task():
            await_shielded(own_turn(caller, alias), grace=NO_LIMIT)
            block = caller.blocks[alias]
        host = guest_on_loop(caller, alias).host
        return lambda: _give_back(caller, block, host)
    return _nothing if here.host is None else lambda: _give_back_kept(alias)


def _give_back(caller: Caller, block: CallersBlock, host: Any) -> None:
    try:
        if isinstance(host, ThreadGuest):
            await_shielded(call_back(caller, host.release), grace=NO_LIMIT)
    finally:
        _close_block(block)


def _give_back_kept(alias: str) -> None:
    turns = here.kept.get(alias)
    guest = turns.pop() if turns else None
    if guest is not None:
        guest.release()
    elif here.openers:
        note_closed(alias, connections[alias])
