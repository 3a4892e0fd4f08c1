"""Code inside a block waits for other code that needs the block's connection."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import transaction

from .. import STOCK
from ..models import Deep, Row
from .registry import InTwoCalls, Undone, blocked, count, in_block, names, of_coroutine, scenario


def job(function: Callable[..., Any], *args: Any) -> Any:
    """Return an awaitable for synchronous code: in a thread on plain Django, else in the bridge."""
    if settings.FLAVOUR == STOCK:
        return sync_to_async(function)(*args)
    from turbo_orm import run_sync

    return run_sync(function, *args)


def block() -> Any:
    """Return a block for ``async with``: of two calls on plain Django, else ours."""
    if settings.FLAVOUR == STOCK:
        return InTwoCalls()
    from turbo_orm import atomic

    return atomic()


def occupy_thread() -> None:
    """Need the connection in the thread that the others are going to need."""
    time.sleep(0.1)
    Row.objects.create(name="thread")


async def count_in_thread() -> int:
    """Return how many rows a thread sees of what is written before it."""
    return await sync_to_async(Row.objects.exclude(name="thread").count)()


def beside_a_thread(begin: Callable[[], Any]) -> Any:
    """Do something in a block, beside a call of the thread that needs the block as well."""

    async def body() -> Any:
        await Row.objects.acreate(name="first")
        return (await asyncio.gather(begin(), sync_to_async(occupy_thread)()))[0]

    return in_block(body), sorted(names())


@of_coroutine
def a_job_waits_for_the_thread() -> Any:
    def work() -> Any:
        Row.objects.create(name="job")
        return async_to_sync(count_in_thread)()

    return beside_a_thread(lambda: job(work))


@of_coroutine
def a_savepoint_of_a_job_waits_for_the_thread() -> Any:
    def work() -> Any:
        with transaction.atomic():
            Row.objects.create(name="job")
            return async_to_sync(count_in_thread)()

    return beside_a_thread(lambda: job(work))


@of_coroutine
def a_block_of_a_job_that_is_no_savepoint_waits_for_the_thread() -> Any:
    def work() -> Any:
        with transaction.atomic(savepoint=False):
            Deep.objects.create(name="job")
            return async_to_sync(count_in_thread)()

    return beside_a_thread(lambda: job(work))


@of_coroutine
def a_savepoint_around_a_coroutine_waits_for_the_thread() -> Any:
    async def work() -> Any:
        await Row.objects.acreate(name="job")
        return await count_in_thread()

    return beside_a_thread(lambda: blocked(work))


@of_coroutine
def a_stream_waits_for_the_thread_between_its_rows() -> Any:
    async def work() -> Any:
        rows = Row.objects.order_by("id").aiterator(chunk_size=1)
        return [(row.name, await count_in_thread()) async for row in rows if row.name == "first"]

    return beside_a_thread(work)


@of_coroutine
def a_block_of_a_job_waits_for_gathered_threads() -> Any:
    async def gathered() -> Any:
        return await asyncio.gather(*(sync_to_async(savepoint)(name) for name in "abc"))

    def savepoint(name: str) -> int:
        with transaction.atomic():
            Deep.objects.create(name=name)
            return async_to_sync(count)()

    def work() -> Any:
        with transaction.atomic(durable=True):
            Row.objects.create(name="job")
            return async_to_sync(gathered)(), names()

    async def main() -> Any:
        return await job(work)

    return asyncio.run(main())


@of_coroutine
def what_a_thread_writes_beside_a_savepoint_that_awaits_it_is_not_undone() -> Any:
    def work() -> Any:
        with contextlib.suppress(Undone), transaction.atomic():
            Row.objects.create(name="undone")
            async_to_sync(count_in_thread)()
            raise Undone

    async def body() -> Any:
        await asyncio.gather(job(work), sync_to_async(Row.objects.create)(name="sibling"))

    in_block(body)
    return names()


@of_coroutine
def savepoints_that_wait_do_not_interleave() -> Any:
    def work(number: int) -> None:
        with contextlib.suppress(Undone), transaction.atomic():
            Row.objects.create(name=f"{number}")
            async_to_sync(asyncio.sleep)(0.01)
            Row.objects.create(name=f"{number} again")
            if number % 2:
                raise Undone

    async def body() -> None:
        await asyncio.gather(*(job(work, number) for number in range(4)))

    in_block(body)
    return names()


@of_coroutine
def savepoints_around_coroutines_do_not_interleave() -> Any:
    async def one(number: int) -> None:
        async def work() -> None:
            await Row.objects.acreate(name=f"{number}")
            await asyncio.sleep(0.01)
            await Row.objects.acreate(name=f"{number} again")
            if number % 2:
                raise Undone

        with contextlib.suppress(Undone):
            await blocked(work)

    async def body() -> None:
        await asyncio.gather(*(one(number) for number in range(4)))

    in_block(body)
    return sorted(names())


@of_coroutine
def two_calls_enter_and_leave_a_savepoint_of_the_block() -> Any:
    async def body() -> Any:
        await Row.objects.acreate(name="first")
        beside = asyncio.create_task(sibling(begun))
        async with InTwoCalls():
            await Row.objects.acreate(name="inside")
            await asyncio.gather(*(Row.objects.acreate(name=name) for name in "abc"))
            begun.set()
            # Nothing says that the block awaits the other task.
            await seen.wait()
        try:
            async with InTwoCalls():
                await Row.objects.acreate(name="undone")
                raise Undone
        except Undone:
            return await beside, await Row.objects.acount()

    async def sibling(begun: asyncio.Event) -> Any:
        await begun.wait()
        found = await Row.objects.acount()
        seen.set()
        return found

    begun, seen = asyncio.Event(), asyncio.Event()
    return in_block(body), sorted(names())


# A block of a coroutine whose caller waits for it.


async def later(begun: asyncio.Event, name: str) -> None:
    """Make a row once a block is open."""
    await begun.wait()
    await Row.objects.acreate(name=name)


async def kept(begun: asyncio.Event, task: Any) -> Any:
    """Await a task inside a block."""
    async with block():
        await Row.objects.acreate(name="block")
        begun.set()
        # Long enough for the task to wait for the connection before it is awaited itself.
        await asyncio.sleep(0.05)
        return await task


@scenario
def a_block_awaits_a_task_that_was_started_before_it() -> Any:
    async def work() -> Any:
        begun = asyncio.Event()
        await kept(begun, asyncio.create_task(later(begun, "task")))

    async_to_sync(work)()
    return names()


@scenario
def a_block_awaits_gathered_tasks_that_were_started_before_it() -> Any:
    async def work() -> Any:
        begun = asyncio.Event()
        tasks = [asyncio.create_task(later(begun, name)) for name in "abc"]
        await kept(begun, asyncio.gather(*tasks[:2], asyncio.shield(tasks[2])))

    with transaction.atomic():
        async_to_sync(work)()
    # Nothing says which of them comes first.
    found = sorted(names())
    Row.objects.exclude(name="block").delete()
    return found


@scenario
def a_block_awaits_a_task_that_awaits_another_with_a_block() -> Any:
    async def innermost(begun: asyncio.Event) -> Any:
        await begun.wait()
        async with block():
            await Row.objects.acreate(name="innermost")
        return await Row.objects.acount()

    async def middle(task: Any) -> Any:
        done, _ = await asyncio.wait([task])
        return done.pop().result(), await Row.objects.acount()

    async def work() -> Any:
        begun = asyncio.Event()
        task = asyncio.create_task(innermost(begun))
        return await kept(begun, asyncio.create_task(middle(task)))

    return async_to_sync(work)(), names()
