"""Transactions, awaited: Django's own ``Atomic`` does the work, in the bridge."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.transaction import Atomic

from .bridge import in_bridge, run_sync
from .callers import Caller, current_caller, last_caller
from .connection.wrapper import CommitHook
from .generators import generators_around, may_wait
from .leases import at_callers
from .leases.entering import Error, enter, leave_block

C = TypeVar("C", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")


class AsyncAtomic(Atomic):
    """What ``atomic`` returns: Django's ``Atomic``, also as an asynchronous context manager."""

    async def __aenter__(self) -> None:
        caller = _caller_outside_bridge()
        if caller is not None:
            await at_callers.enter_at_caller(caller, self, generators_around(sys._getframe(1)))
        else:
            await run_sync(enter, self, generators_around(sys._getframe(1)))

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        caller = _caller_outside_bridge()
        if caller is not None:
            error = (exc_type, exc_value, traceback)
            await _leave_at_caller(caller, self, error, sys._getframe(1))
        else:
            await leave_block(self, (exc_type, exc_value, traceback), sys._getframe(1))

    def __call__(self, func: C) -> C:
        """Run each call of a function, synchronous or not, in a block of its own."""
        if iscoroutinefunction(func):
            return cast("C", in_block(self, func))
        return super().__call__(func)


def _caller_outside_bridge() -> Caller | None:
    """Return the caller in whose thread blocks are entered, if one waits for this coroutine."""
    return None if last_caller() is None or in_bridge() else current_caller()


async def _leave_at_caller(caller: Caller, block: Atomic, error: Error, frame: FrameType) -> None:
    if error[0] is not GeneratorExit:
        await at_callers.leave_at_caller(caller, block, *error)
        return
    waits = may_wait(frame)
    leaving = at_callers.abandon_at_caller(caller, block)
    if leaving is not None and waits:
        await asyncio.shield(leaving)


def in_block(
    block: Atomic, function: Callable[P, Awaitable[T]]
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a coroutine function of which each call is a block of its own."""

    @wraps(function)
    async def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        durable = block.durable  # type: ignore[attr-defined]
        async with AsyncAtomic(block.using, block.savepoint, durable):
            return await function(*args, **kwargs)

    return inside


@overload
def atomic(using: C) -> C: ...
@overload
def atomic(
    using: str | None = None, savepoint: bool = True, durable: bool = False
) -> AsyncAtomic: ...
def atomic(using: Any = None, savepoint: bool = True, durable: bool = False) -> Any:
    """Guarantee that the statements of a block are all committed or all rolled back.

    Args:
        using: the database alias; ``default`` if None.
        savepoint: whether a nested block is a savepoint of its own.
        durable: raise if this is not the outermost block.

    Returns:
        An object for ``async with``, for ``with`` (in the bridge or where no loop runs), and for
        decorating coroutine functions and functions. ``@atomic`` alone decorates too.

    Raises:
        RuntimeError: a durable block inside another.
        TransactionManagementError: a task started inside a block opens one of its own.

    Mirrors ``django.db.transaction.atomic``.
    """
    if callable(using):
        return AsyncAtomic(DEFAULT_DB_ALIAS, savepoint, durable)(using)
    return AsyncAtomic(using, savepoint, durable)


async def on_commit(
    func: Callable[[], object], using: str | None = None, robust: bool = False
) -> None:
    """Call a function when the present transaction commits, at once if there is none.

    Args:
        func: takes nothing; synchronous (it may use the ORM), a coroutine function, or anything
            that returns a coroutine. A task or a future that it returns is not waited for.
        using: the database alias; ``default`` if None.
        robust: log an exception of the function instead of raising it.

    Raises:
        TypeError: the function is not callable.

    Mirrors ``django.db.transaction.on_commit``.
    """
    await run_sync(transaction.on_commit, CommitHook.of(func), using, robust)


def set_rollback(rollback: bool, using: str | None = None) -> None:
    """Say whether the innermost block rolls back when it is left; waits for nothing.

    Args:
        rollback: True to roll back without an exception, False to forget an earlier error.
        using: the database alias; ``default`` if None.

    Raises:
        TransactionManagementError: outside a block.

    Mirrors ``django.db.transaction.set_rollback``.
    """
    transaction.set_rollback(rollback, using)


def get_rollback(using: str | None = None) -> bool:
    """Tell whether the innermost block will roll back when it is left; waits for nothing.

    Args:
        using: the database alias; ``default`` if None.

    Raises:
        TransactionManagementError: outside a block.

    Mirrors ``django.db.transaction.get_rollback``.
    """
    return bool(transaction.get_rollback(using))


def in_atomic_block(using: str | None = None) -> bool:
    """Tell whether this code runs inside an atomic block; waits for nothing.

    Args:
        using: the database alias; ``default`` if None.

    Mirrors ``connection.in_atomic_block``.
    """
    return bool(transaction.get_connection(using).in_atomic_block)


async def savepoint(using: str | None = None) -> str | None:
    """Create a savepoint inside the present transaction.

    Args:
        using: the database alias; ``default`` if None.

    Returns:
        Its name for ``savepoint_commit`` and ``savepoint_rollback``; None outside a transaction.

    Mirrors ``django.db.transaction.savepoint``.
    """
    return await run_sync(lambda: transaction.get_connection(using).savepoint())


async def savepoint_commit(sid: str, using: str | None = None) -> None:
    """Release a savepoint.

    Args:
        sid: what ``savepoint`` returned.
        using: the database alias; ``default`` if None.

    Mirrors ``django.db.transaction.savepoint_commit``.
    """
    await run_sync(transaction.savepoint_commit, sid, using)


async def savepoint_rollback(sid: str, using: str | None = None) -> None:
    """Roll back to a savepoint.

    Args:
        sid: what ``savepoint`` returned.
        using: the database alias; ``default`` if None.

    Mirrors ``django.db.transaction.savepoint_rollback``.
    """
    await run_sync(transaction.savepoint_rollback, sid, using)
