"""A coroutine opens a block, and code of threads is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from ..models import Deep, Row
from .registry import Undone, count, in_block, names, of_coroutine


@of_coroutine
def a_thread_is_inside_the_block_that_waits_for_it() -> Any:
    async def body() -> Any:
        await Row.objects.acreate(name="a")

        def work() -> Any:
            Row.objects.create(name="b")
            return names(), connection.in_atomic_block

        seen.append(await sync_to_async(work)())
        seen.append(await Row.objects.acount())
        raise Undone

    seen: list[Any] = []
    try:
        in_block(body)
    except Undone:
        return seen


@of_coroutine
def a_thread_opens_savepoints_in_the_block() -> Any:
    async def body() -> Any:
        def work() -> Any:
            with transaction.atomic():
                Deep.objects.create(name="kept")
            try:
                with transaction.atomic():
                    Row.objects.create(name="undone")
                    raise Undone
            except Undone:
                pass
            try:
                with transaction.atomic():
                    Row.objects.create(name="kept")
            except IntegrityError:
                return names()

        return await sync_to_async(work)(), await Row.objects.acount()

    return in_block(body)


@of_coroutine
def an_error_in_a_thread_breaks_the_block() -> Any:
    async def body() -> Any:
        def work() -> None:
            Row.objects.create(name="a")
            Row.objects.create(name="a")

        try:
            await sync_to_async(work)()
        except IntegrityError as error:
            seen.append(type(error).__name__)
        try:
            await Row.objects.acount()
        except Exception as error:
            seen.append(type(error).__name__)

    seen: list[Any] = []
    try:
        in_block(body)
    except Exception as error:
        seen.append(type(error).__name__)
    return seen


@of_coroutine
def a_thread_registers_callbacks_and_streams() -> Any:
    seen: list[Any] = []

    async def body() -> Any:
        def work() -> Any:
            transaction.on_commit(lambda: seen.append("called"))
            Row.objects.bulk_create([Row(name=name) for name in "abcde"])
            rows = Row.objects.order_by("id").iterator(chunk_size=2)
            return [next(rows).name, [row.name for row in rows]]

        seen.append(await sync_to_async(work)())

    in_block(body)
    return seen


@of_coroutine
def the_queries_of_a_thread_are_seen() -> Any:
    async def body() -> Any:
        def work() -> Any:
            with CaptureQueriesContext(connection) as queries:
                Row.objects.create(name="a")
                Row.objects.count()
            return [query["sql"] for query in queries.captured_queries]

        return await sync_to_async(work)()

    return in_block(body)


@of_coroutine
def many_threads_calls_are_gathered_in_the_block() -> Any:
    async def body() -> Any:
        def work(number: int) -> None:
            with transaction.atomic():
                Row.objects.create(name=str(number))

        await asyncio.gather(*(sync_to_async(work)(number) for number in range(8)))
        return await Row.objects.acount()

    return in_block(body)


@of_coroutine
def sandwiches_in_the_block() -> Any:
    async def body() -> Any:
        async def innermost() -> Any:
            await Row.objects.acreate(name="innermost")
            return await sync_to_async(names)()

        def work() -> Any:
            with transaction.atomic():
                Row.objects.create(name="thread")
                found = async_to_sync(innermost)()
            return found, async_to_sync(count)()

        return await sync_to_async(work)()

    return in_block(body)


@of_coroutine
def a_thread_of_its_own_has_its_own_connection() -> Any:
    async def body() -> Any:
        def work() -> Any:
            try:
                return names(), connection.in_atomic_block
            finally:
                connections.close_all()

        await Row.objects.acreate(name="a")
        in_executor = asyncio.get_running_loop().run_in_executor
        return (
            await asyncio.to_thread(work),
            await in_executor(None, work),
            await sync_to_async(work, thread_sensitive=False)(),
        )

    return in_block(body)


@of_coroutine
def a_thread_of_its_own_runs_a_loop_of_its_own() -> Any:
    async def elsewhere() -> Any:
        await Row.objects.acreate(name="elsewhere")
        return await Row.objects.acount(), await sync_to_async(names)()

    async def body() -> Any:
        await Row.objects.acreate(name="undone")
        # Not `to_thread`: its copy of the context leads asgiref back to the waiting thread.
        found = await asyncio.get_running_loop().run_in_executor(None, run, elsewhere)
        seen.append((found, await Row.objects.acount()))
        raise Undone

    def run(coroutine_function: Callable[[], Any]) -> Any:
        return asyncio.run(coroutine_function())

    seen: list[Any] = []
    try:
        in_block(body)
    except Undone:
        return seen
