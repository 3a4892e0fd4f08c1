"""One event loop for the whole suite, and what lets Django's tests run inside it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any
from unittest import mock

import asgiref.sync
import psycopg

from turbo_orm import await_, close_pools, in_bridge, run_sync
from turbo_orm.connection.facade import BridgedConnection

original_async_to_sync = asgiref.sync.AsyncToSync.__call__
original_sync_to_async = asgiref.sync.SyncToAsync.__call__
original_asyncio_run = asyncio.run
original_wait = psycopg.Connection.wait


class Counter:
    """How many statements went through the bridge, and how many past it."""

    bridged = 0
    synchronous = 0


# Whether the synchronous methods are Django's, whatever the mode: everywhere but in the suite's own
# code, and so in the tasks that it starts and in those of the pool.
inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside", default=True)


def in_task(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a task of its own, outside the bridge, and wait for it in the bridge."""
    context = contextvars.copy_context()
    context.run(inside.set, True)
    return await_(context.run(asyncio.get_running_loop().create_task, coroutine))


# Wrapped: the redirects look into the function that they find there.
@functools.wraps(original_async_to_sync)
def call_async_to_sync(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Stand in for ``async_to_sync``, with which Django runs coroutine tests."""
    if not in_bridge():
        return original_async_to_sync(self, *args, **kwargs)
    left: list[contextvars.Context] = []

    async def call() -> Any:
        try:
            return await self.awaitable(*args, **kwargs)
        finally:
            left.append(contextvars.copy_context())

    try:
        return in_task(call())
    finally:
        # As in asgiref: what the coroutine set in its context is set for its caller.
        for context in left:
            for variable in set(context) - {inside}:
                if variable.get(None) is not context[variable]:
                    variable.set(context[variable])


class Threads:
    """Whether the running test may use threads: it uses no database, and asks which it is in."""

    allowed = False


@functools.wraps(original_sync_to_async)
async def call_sync_to_async(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Stand in for ``sync_to_async`` in the tests: a thread would see another connection."""
    if Threads.allowed:
        return await original_sync_to_async(self, *args, **kwargs)
    return await run_sync(self.func, *args, **kwargs)


def run_coroutine(coroutine: Coroutine[Any, Any, Any], **options: Any) -> Any:
    """Stand in for ``asyncio.run``, which some of Django's synchronous tests call."""
    return in_task(coroutine) if in_bridge() else original_asyncio_run(coroutine, **options)


def count_wait(self: psycopg.Connection[Any], *args: Any, **kwargs: Any) -> Any:
    """Count a statement on a synchronous connection made where the loop runs."""
    if not isinstance(self, BridgedConnection) and _loop_runs_here():
        Counter.synchronous += 1
    return original_wait(self, *args, **kwargs)


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


bridged_wait = BridgedConnection.wait


def count_bridged_wait(self: BridgedConnection, *args: Any, **kwargs: Any) -> Any:
    """Count a statement on a connection of the bridge."""
    Counter.bridged += 1
    return bridged_wait(self, *args, **kwargs)


def run_in_loop(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run synchronous code in the bridge of a new event loop, from beginning to end."""

    async def main() -> Any:
        inside.set(False)
        try:
            return await run_sync(function, *args, **kwargs)
        finally:
            await close_pools()

    replacements = (
        (asgiref.sync.AsyncToSync, "__call__", call_async_to_sync),
        (asgiref.sync.SyncToAsync, "__call__", call_sync_to_async),
        (asyncio, "run", run_coroutine),
        (psycopg.Connection, "wait", count_wait),
        (BridgedConnection, "wait", count_bridged_wait),
    )
    with ExitStack() as stack:
        for owner, name, replacement in replacements:
            stack.enter_context(mock.patch.object(owner, name, replacement))
        return original_asyncio_run(main())
