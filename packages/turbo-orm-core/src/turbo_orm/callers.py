"""Synchronous callers: the threads that wait in ``async_to_sync`` for the code that runs here.

asgiref lets a thread that waits run what the coroutine hands to ``sync_to_async``. A caller's
connections are used there, and nowhere else. This module knows who waits, and sends calls back.
It also knows the opposite: which event loop waits, in ``sync_to_async``, for this thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar, copy_context
from itertools import chain
from typing import Any, Protocol, TypeVar

from asgiref.sync import AsyncToSync, SyncToAsync
from psycopg.pq import TransactionStatus

from .awaited import pause_between_glances
from .tasks import start_task

T = TypeVar("T")
OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class Keeper(Protocol):
    """What a thread stands at in a block of the loop that waits for it."""

    def lend(self) -> None:
        """Let others have the turn, until the thread has something to do again."""

    def release(self) -> None:
        """Give the turn back with the outermost of the thread's blocks."""


class OpenBlock(Protocol):
    """A block that a coroutine has open on a connection of its caller."""

    gone: asyncio.Event

    def admits_context(self) -> bool:
        """Tell whether the running code is inside the block, or awaited there."""

    def abandon(self) -> None:
        """Roll the block back, in the caller's thread: the caller stops waiting."""


class Caller:
    """One call of ``async_to_sync``, from the thread that waits for it.

    Args:
        outer: the caller of the code that makes this call.
    """

    __slots__ = (
        "blocks",
        "ended",
        "guests",
        "host",
        "loop",
        "outer",
        "thread",
        "waiting",
        "wrappers",
    )

    def __init__(self, outer: Caller | None) -> None:
        self.outer = outer
        self.ended = False
        # Where the coroutine runs, once it does.
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.get_ident()
        # The loop that waits for the thread, if one does.
        self.host = here.host
        # The wrappers that the thread has of its own, and what stands for them on the loop.
        self.wrappers: dict[str, Any] = here.wrappers
        self.guests: dict[str, Any] = {}
        # The outermost blocks that coroutines have open on the thread's connections, by alias.
        self.blocks: dict[str, OpenBlock] = {}
        # How many tasks wait for the end of one of them.
        self.waiting = 0

    def foreign_block(self, alias: str | None = None) -> OpenBlock | None:
        """Return a block in which the running code is not.

        Args:
            alias: the alias of its database; None for any.
        """
        for name, block in self.blocks.items():
            if alias in {None, name} and not block.admits_context():
                return block
        return None


class Opener(Caller):
    """A thread that opens a block, or a transaction without one, while a loop waits for it.

    If that is still open when the call ends, the coroutine goes on inside it: two calls of
    ``sync_to_async`` enter and leave it. Until then it has no loop, and does not count.
    """

    __slots__ = ()


class _Here(threading.local):
    """What is known of a thread."""

    # The event loop that waits, in `sync_to_async`, for what the thread does.
    host: asyncio.AbstractEventLoop | None = None
    # In how many calls of `async_to_sync` the thread waits, one inside the other.
    calls = 0

    def __init__(self) -> None:
        self.wrappers: dict[str, Any] = {}
        # Wrappers that stand for the thread's own for a while, by alias.
        self.replaced: dict[str, Any] = {}
        # Of the blocks that are open on its own connections, by alias.
        self.openers: dict[str, Opener] = {}
        # What keeps a turn for each of the thread's open blocks, by alias; None for its own.
        self.kept: dict[str, list[Keeper | None]] = {}


here = _Here()
_caller: ContextVar[Caller | None] = ContextVar("turbo_orm.caller", default=None)
# For those who ask with every statement: None where nobody has called `async_to_sync`.
last_caller = _caller.get


def current_caller() -> Caller | None:
    """Return the caller that waits for this code, which runs on the loop that it waits for."""
    caller = _caller.get()
    # A task may outlive the call in which it was started.
    while caller is not None and caller.ended:
        caller = caller.outer
    if caller is None:
        return None
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return caller if caller.loop is loop else None


def is_called_back() -> bool:
    """Tell whether this is the thread of a caller, at work for the coroutine it waits for."""
    caller = _caller.get()
    if caller is None or caller.ended or caller.thread != threading.get_ident():
        return False
    return type(caller) is not Opener or caller.loop is not None


def is_called_from(thread: int, context: Context) -> bool:
    """Tell whether a thread waits in ``async_to_sync`` for the code of a context."""
    caller = context.get(_caller)
    while caller is not None:
        if caller.thread == thread and not caller.ended and type(caller) is not Opener:
            return True
        caller = caller.outer
    return False


def note_opening(alias: str, wrapper: Any) -> None:
    """Note that this thread, for which a loop waits, is about to open a block.

    Args:
        alias: the database.
        wrapper: the thread's own.
    """
    if here.calls or wrapper.in_atomic_block:
        return
    forgotten = here.openers.get(alias)
    if forgotten is not None:
        forgotten.ended = True
    opener = here.openers[alias] = Opener(_caller.get())
    _caller.set(opener)


def note_closed(alias: str, wrapper: Any) -> None:
    """Note that this thread has left a block.

    Args:
        alias: the database.
        wrapper: the thread's own.
    """
    opener = None if wrapper.in_atomic_block else here.openers.pop(alias, None)
    if opener is None:
        return
    opener.ended = True
    opener.guests.clear()
    if _caller.get() is opener:
        _caller.set(opener.outer)


def note_left_open() -> None:
    """Note which transactions this thread, for which a loop waits, has left open in a call."""
    for alias, wrapper in list(here.wrappers.items()):
        if not wrapper.in_atomic_block and _is_left_open(wrapper) != (alias in here.openers):
            note = note_closed if alias in here.openers else note_opening
            note(alias, wrapper)
    # A block that the call has left open must not keep others from the connection.
    for keeper in chain.from_iterable(here.kept.values()):
        if keeper is not None:
            keeper.lend()


def _is_left_open(wrapper: Any) -> bool:
    """Tell whether a connection is in a transaction, or its next statement begins one."""
    pgconn = getattr(wrapper.connection, "pgconn", None)
    if pgconn is None:
        return False
    # Switched off by a call; the setting is about every connection.
    switched_off = not wrapper.autocommit and wrapper.settings_dict["AUTOCOMMIT"]
    return switched_off or pgconn.transaction_status in OPEN


def _run(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return function(*args, **kwargs)


# asgiref's own method: `turbo_orm.test` puts another in its place.
_call: Any = SyncToAsync.__call__
_running: Any = SyncToAsync(_run, thread_sensitive=True)


async def own_turn(caller: Caller, alias: str | None = None) -> None:
    """Wait until no other task has a block open on a caller's connections, or awaits this one.

    Args:
        caller: who waits.
        alias: the alias of the one database that is going to be used; None for any.
    """
    while caller.blocks and (block := caller.foreign_block(alias)) is not None:
        caller.waiting += 1
        try:
            await _gone_or_glance(block, pause_between_glances(caller.waiting))
        finally:
            caller.waiting -= 1


async def _gone_or_glance(block: OpenBlock, pause: float) -> None:
    gone = start_task(block.gone.wait())
    try:
        await asyncio.wait({gone}, timeout=pause)
    finally:
        gone.cancel()


async def call_back(
    caller: Caller,
    function: Callable[..., T],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
) -> T:
    """Run a function in the thread of the caller, once no other task has a block open there.

    Args:
        caller: who waits.
        function: is called there.
        args: its positional arguments.
        kwargs: its keyword arguments.

    Returns:
        What the function returns.

    Raises:
        BaseException: whatever the function raises.

    The one connection would put the function's rows into the block of the other task.
    """
    await own_turn(caller)
    return await call_at_once(function, args, kwargs or {})


async def call_at_once(
    function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> T:
    """Run a function in the thread of the caller, which asgiref knows too; it is its turn.

    Args:
        function: is called there.
        args: its positional arguments.
        kwargs: its keyword arguments.

    Returns:
        What the function returns.

    Raises:
        BaseException: whatever the function raises.
    """
    result: T = await _call(_running, function, args, kwargs)
    return result


def wait_here(awaitable: Awaitable[T]) -> T:
    """Wait for an awaitable in a thread where no loop runs; it may call this thread back."""
    waiting: Any = AsyncToSync(_as_coroutine)
    result: T = waiting(awaitable)
    return result


async def _as_coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


def begin_call() -> Caller:
    """Note that this thread begins to wait for a coroutine; return who waits."""
    caller = Caller(_caller.get())
    _caller.set(caller)
    here.calls += 1
    return caller


def end_call(caller: Caller) -> None:
    """Note that this thread waits for its coroutine no more.

    Args:
        caller: what ``begin_call`` returned.
    """
    here.calls -= 1
    caller.ended = True
    _caller.set(caller.outer)
    for block in list(caller.blocks.values()):
        block.abandon()
    # A task that goes on keeps the caller in its context.
    caller.guests.clear()


def note_loop(caller: Caller | None) -> None:
    """Note that the running loop runs the coroutine that a caller waits for."""
    if caller is not None and not _ignored:
        caller.loop = asyncio.get_running_loop()


def note_host(loop: asyncio.AbstractEventLoop) -> None:
    """Note that a loop has waited for this thread and goes on in the blocks that are left open."""
    if not _ignored:
        for opener in here.openers.values():
            opener.loop = loop


def put_back(caller: Caller | None) -> None:
    """Let the context be in the call that it was in before it waited for a thread.

    Args:
        caller: the one before.

    asgiref brings along what the thread of a call that was cancelled is still waiting for.
    """
    if type(_caller.get()) is Caller:
        _caller.set(caller)


# Whether no caller counts: the loop itself uses the connection of a test.
_ignored = False


def ignore_callers(ignored: bool) -> None:
    """Say whether code on a loop stays there although a caller waits for it."""
    global _ignored  # noqa: PLW0603  # one per process, as the transaction of a test
    _ignored = ignored


class WaitingCall:
    """A call of a thread that is awaited: by which task, in which context."""

    __slots__ = ("context", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.context = copy_context()


waiting_calls: set[WaitingCall] = set()
