"""Coroutines whose first step runs at once, since most of them never have to wait."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import copy_context
from typing import Any, TypeVar, cast

T = TypeVar("T")


def start_task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task whose first step runs at once where Python can do that (3.12).

    Args:
        coroutine: what the task runs.

    Returns:
        The task, already done if the coroutine never had to wait.
    """
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        task = asyncio.Task(coroutine, loop=loop, eager_start=True)
    else:
        task = loop.create_task(coroutine)
    return task


def start_at_once(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start a task whose first step runs before anything else does, in every Python.

    Args:
        coroutine: does not ask in its first step which task runs it.

    Returns:
        The task.
    """
    if sys.version_info >= (3, 12):
        return start_task(coroutine)
    else:
        rest = copy_context().run(begin_now, coroutine)
        return asyncio.get_running_loop().create_task(_wait_for(rest))


async def _wait_for(rest: Awaitable[None] | None) -> None:
    if rest is not None:
        await rest


def begin_now(coroutine: Coroutine[Any, Any, T]) -> Awaitable[T] | None:
    """Run the first step of a coroutine here, where a task for it would usually be wasted.

    Args:
        coroutine: nearly always ends without waiting, and does not ask which task runs it.

    Returns:
        None if it has ended, else an awaitable for the rest.
    """
    try:
        yielded = coroutine.send(None)
    except StopIteration:
        return None
    return _Rest(coroutine, yielded)


class _Rest(Awaitable[T]):
    """The rest of a coroutine that has already yielded once."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], yielded: Any) -> None:
        self._coroutine = coroutine
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, T]:
        yielded = self._yielded
        try:
            while True:
                try:
                    sent = yield yielded
                except BaseException as error:
                    yielded = self._coroutine.throw(error)
                else:
                    yielded = self._coroutine.send(sent)
        except StopIteration as stop:
            return cast(T, stop.value)
