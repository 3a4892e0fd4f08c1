"""Asynchronous generators: which ones run here, and whether code that is being closed may wait."""

from __future__ import annotations

import asyncio
import dis
import gc
import inspect
from collections.abc import AsyncGenerator, Iterator
from itertools import chain, islice
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any
from weakref import WeakSet

COROUTINE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE
AWAITABLE = (asyncio.Future, CoroutineType, GeneratorType, AsyncGeneratorType)
# What a frame is at while it awaits: the second one is Python 3.10's.
AWAITING = {"SEND", "YIELD_FROM"}


def generators_around(frame: FrameType | None) -> list[AsyncGenerator[Any, Any]]:
    """Return the asynchronous generators in which a frame is, innermost first.

    Args:
        frame: of a generator, or of a context manager of ``contextlib`` that a generator uses.

    Returns:
        Those of which the end is the end of what the frame has open: none in a plain coroutine.
    """
    found: list[AsyncGenerator[Any, Any]] = []
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR:
            # The first ends the search: asking for all that a loop refers to takes 15 µs.
            found += islice((each for each in _known(frame) if each.ag_frame is frame), 1)
        elif frame.f_globals.get("__name__") != "contextlib":
            break
        frame = frame.f_back
    return found


def _known(frame: FrameType) -> Iterator[Any]:
    """Yield the running generators that have the code of a frame.

    An event loop keeps its generators in a weak set, to close them at its end: asyncio's in an
    attribute of its own, uvloop's where Python code does not reach by name.
    """
    loop = asyncio.get_running_loop()
    attributes = getattr(loop, "__dict__", {}).values()
    for kept in chain(attributes, chain.from_iterable(map(gc.get_referents, (loop,)))):
        if isinstance(kept, WeakSet):
            for each in kept:
                if getattr(each, "ag_code", None) is frame.f_code and each.ag_running:
                    yield each


def may_wait(frame: FrameType) -> bool:
    """Tell whether code that sees ``GeneratorExit`` may wait: its task drives it.

    ``aclose()`` is awaited, so what it closes may wait. ``close()`` of a coroutine is a mere call.

    Args:
        frame: of the code, a coroutine or an asynchronous generator.
    """
    if not frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    while (outer := frame.f_back) is not None and outer.f_code.co_flags & COROUTINE:
        if not _awaits(outer):
            return False
        frame = outer
    driven: Any = None if task is None else task.get_coro()
    if inspect.iscoroutine(driven) or inspect.isgenerator(driven):
        return frame is getattr(driven, "cr_frame", None) or frame is getattr(
            driven, "gi_frame", None
        )
    # The task of an `aclose()` alone.
    return driven is not None


def waited_for(generator: AsyncGenerator[Any, Any]) -> asyncio.Future[Any] | None:
    """Return the future for which the running step of a generator waits, if that can be seen."""
    awaitable: Any = generator
    while awaitable is not None and not asyncio.isfuture(awaitable):
        for name in ("ag_await", "cr_await", "gi_yieldfrom"):
            if hasattr(awaitable, name):
                awaitable = getattr(awaitable, name)
                break
        else:
            # The iterator of a future, a step of a generator: they refer to it, without a name.
            inner = gc.get_referents(awaitable)
            awaitable = next((each for each in inner if isinstance(each, AWAITABLE)), None)
    return awaitable


def _awaits(frame: FrameType) -> bool:
    """Tell whether a frame awaits what it runs, and does not merely call it."""
    code, at = frame.f_code.co_code, frame.f_lasti
    while (name := dis.opname[code[at]]) == "CACHE":
        # In Python 3.12 it is behind the instruction.
        at -= 2
    return name in AWAITING
