"""Find out who awaits a task: asyncio knows it, but tells only the callbacks of each future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import Context
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, TypeAlias

# Seconds between two looks at who awaits a task that waits for its turn: nobody is told when
# another task begins to await it.
GLANCE = 0.02
# Seconds more for each that waits: whoever works meanwhile must have nearly all of the time.
GLANCE_OF_EACH = 0.0005

Inside: TypeAlias = Callable[[Context, "asyncio.Task[Any] | None"], bool]


def pause_between_glances(waiting: int) -> float:
    """Return how many seconds pass between two looks at so many tasks that wait."""
    return GLANCE + GLANCE_OF_EACH * waiting


def is_awaited(task: asyncio.Task[Any] | None, inside: Inside) -> bool:
    """Tell whether certain code awaits a task, itself or through other tasks.

    Args:
        task: the task that may be awaited, also by ``gather``, ``wait``, ``shield`` and the like.
        inside: tells whether the code in a context, or the task that it is, counts.
    """
    pending: list[Any] = [] if task is None else [task]
    seen: set[int] = set()
    while pending:
        future = pending.pop()
        if id(future) in seen:
            continue
        seen.add(id(future))
        for callback, context in getattr(future, "_callbacks", None) or ():
            owner = getattr(callback, "__self__", None)
            # That of a `TaskGroup` is the task that has opened it.
            owner = getattr(owner, "_parent_task", owner)
            if inside(context, owner if isinstance(owner, asyncio.Task) else None):
                return True
            pending += _futures_behind(callback)
    return False


def _futures_behind(callback: Any) -> Iterator[Any]:
    """Yield the futures that a callback completes, and the tasks that it wakes."""
    if isinstance(callback, asyncio.Future):
        yield callback
    elif isinstance(callback, BuiltinFunctionType | MethodType):
        # A task's own step, or a method of a `TaskGroup`.
        owner = callback.__self__
        yield from _futures_behind(getattr(owner, "_parent_task", owner))
    elif isinstance(callback, partial):
        for part in (callback.func, *callback.args):
            yield from _futures_behind(part)
    elif isinstance(callback, FunctionType):
        for cell in callback.__closure__ or ():
            yield from _futures_behind(cell.cell_contents)
