"""Code inside a block waits for other code that needs the block's connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import transaction

from .. import STOCK
from ..models import Deep, Row
from .registry import InTwoCalls, Undone, anames, count, in_block, names, of_coroutine


def job(function: Callable[..., Any], *args: Any) -> Any:
    """Return an awaitable for synchronous code: in a thread on plain Django, else in the bridge."""
    if settings.FLAVOUR == STOCK:
        return sync_to_async(function)(*args)
    from turbo_orm import run_sync

    return run_sync(function, *args)


def slow_row() -> None:
    time.sleep(0.1)
    Row.objects.create(name="thread")


@of_coroutine
def a_job_waits_for_the_thread_of_a_sibling() -> Any:
    async def seen() -> int:
        return await sync_to_async(Row.objects.filter(name="job").count)()

    def work() -> Any:
        Row.objects.create(name="job")
        return async_to_sync(seen)()

    async def body() -> Any:
        await Row.objects.acreate(name="first")
        return (await asyncio.gather(job(work), sync_to_async(slow_row)()))[0]

    return in_block(body), sorted(names())


@of_coroutine
def a_savepoint_of_a_job_waits_for_the_thread_of_a_sibling() -> Any:
    async def seen() -> int:
        return await sync_to_async(Row.objects.filter(name="job").count)()

    def work() -> Any:
        with transaction.atomic():
            Row.objects.create(name="job")
            return async_to_sync(seen)()

    async def body() -> Any:
        return (await asyncio.gather(job(work), sync_to_async(slow_row)()))[0]

    return in_block(body), sorted(names())


@of_coroutine
def a_savepoint_of_a_thread_waits_for_a_sibling() -> Any:
    async def body() -> Any:
        async def sibling() -> Any:
            await begun.wait()
            return await Row.objects.acount()

        async def wait() -> Any:
            begun.set()
            return await task

        def work() -> Any:
            with transaction.atomic():
                Row.objects.create(name="x")
                return async_to_sync(wait)()

        begun = asyncio.Event()
        task = asyncio.create_task(sibling())
        return await sync_to_async(work)()

    return in_block(body), names()

@of_coroutine
def a_savepoint_of_two_calls_in_a_block() -> Any:
    async def body() -> Any:
        await Row.objects.acreate(name="a")
        async with InTwoCalls():
            await Row.objects.acreate(name="b")
            await asyncio.gather(*(Row.objects.acreate(name=str(n)) for n in range(3)))
        return await count()
    return in_block(body), names()

@of_coroutine
def a_block_waits_for_a_task_that_was_started_before_it() -> Any:
    async def body() -> Any:
        async def sibling() -> Any:
            await begun.wait()
            return await Row.objects.acount()
        begun = asyncio.Event()
        task = asyncio.create_task(sibling())
        async with InTwoCalls():
            await Row.objects.acreate(name="b")
            begun.set()
            return await task
    return async_to_sync(body)()

@of_coroutine
def a_savepoint_of_a_thread_sibling_in_own_context() -> Any:
    async def body() -> Any:
        def work(n) -> Any:
            with transaction.atomic():
                Row.objects.create(name=f"x{n}")
                async def wait():
                    await asyncio.gather(*(Row.objects.acreate(name=f"{n}{m}") for m in range(3)))
                    await asyncio.gather(*(Deep.objects.acreate(name=f"d{n}{m}") for m in range(3)))
                    await asyncio.gather(*(job(inner,n,m) for m in range(3)))
                async_to_sync(wait)()
        def inner(n,m):
            with transaction.atomic():
                Row.objects.create(name=f"i{n}{m}")
                async_to_sync(asyncio.sleep)(0)
                async_to_sync(count)()
        await asyncio.gather(*(sync_to_async(work)(n) for n in range(3)))
        return await count()
    return in_block(body), names()
