"""What is put around asgiref's calls, so that it is known who waits for whom: see ``callers``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from functools import partial, wraps
from typing import Any, TypeVar

from ..callers import (
    Caller,
    WaitingCall,
    begin_call,
    end_call,
    here,
    last_caller,
    note_host,
    note_left_open,
    note_loop,
    put_back,
    waiting_calls,
)
from ..leases.holds import held_aliases
from ..leases.hops import turn_of_call

T = TypeVar("T")


def with_caller(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``AsyncToSync.__call__`` that leaves a caller in the context."""

    @wraps(original)
    def call_with_caller(self: Any, *args: Any, **kwargs: Any) -> Any:
        caller = begin_call()
        try:
            return original(self, *args, **kwargs)
        finally:
            end_call(caller)

    return call_with_caller


def with_loop(original: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Any]:
    """Return an ``AsyncToSync.main_wrap`` that notes on which loop the coroutine runs."""

    @wraps(original)
    def main_wrap(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Called in the thread that waits, awaited on the loop.
        return _noting_loop(last_caller(), original(self, *args, **kwargs))

    return main_wrap


async def _noting_loop(caller: Caller | None, coroutine: Coroutine[Any, Any, None]) -> None:
    note_loop(caller)
    await coroutine


def with_waiting_call(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return a ``SyncToAsync.__call__`` that notes who waits for a thread."""

    @wraps(original)
    async def call_in_turn(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, task = last_caller(), asyncio.current_task()
        try:
            if task is None or not self._thread_sensitive:
                return await original(self, *args, **kwargs)
            async with turn_of_call() if held_aliases() else nullcontext():
                # Only now: it counts as inside its turn, and is not in line for the thread before.
                waiting = WaitingCall(task)
                waiting_calls.add(waiting)
                try:
                    return await original(self, *args, **kwargs)
                finally:
                    waiting_calls.discard(waiting)
        except asyncio.CancelledError:
            put_back(before)
            raise

    return call_in_turn


def with_host(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``SyncToAsync.thread_handler`` that notes which loop waits for the thread.

    Only thread-sensitive calls count: other threads are somebody else, as in Django.
    """

    @wraps(original)
    def thread_handler(self: Any, loop: Any, *args: Any, **kwargs: Any) -> Any:
        if here.calls:
            # Called back by the coroutine that the thread waits for: it stays what it was.
            return original(self, loop, *args, **kwargs)
        before, here.host = here.host, loop if self._thread_sensitive else None
        if here.host is not None:
            # The last is what is called, in the context that the coroutine goes on with.
            args = (*args[:-1], partial(_call_and_look, args[-1]))
        try:
            return original(self, loop, *args, **kwargs)
        finally:
            if here.host is not None:
                note_host(loop)
            here.host = before

    return thread_handler


def _call_and_look(child: Callable[[], T]) -> T:
    try:
        return child()
    finally:
        note_left_open()
