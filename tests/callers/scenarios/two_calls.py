"""Two calls of a thread begin and end what a coroutine goes on in."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction

from ..models import Row
from .registry import InTwoCalls, anames, in_two_calls, of_coroutine


@of_coroutine
def two_calls_of_a_thread_enter_and_leave_a_block() -> Any:
    async def body() -> Any:
        await Row.objects.acreate(name="a")
        await sync_to_async(Row.objects.create)(name="b")
        return await anames()

    async def main() -> Any:
        undone = await in_two_calls(body)
        async with InTwoCalls():
            await Row.objects.acreate(name="kept")
        return undone, await anames()

    return asyncio.run(main())


@of_coroutine
def what_is_gathered_in_a_block_of_two_calls_is_in_it() -> Any:
    async def body() -> Any:
        await asyncio.gather(*(Row.objects.acreate(name=f"{number}") for number in range(4)))
        return await Row.objects.acount()

    return asyncio.run(in_two_calls(body))


@of_coroutine
def savepoints_in_a_block_of_two_calls() -> Any:
    async def inner() -> Any:
        await Row.objects.acreate(name="inner")
        await sync_to_async(in_savepoint)()
        return await anames()

    async def deepest() -> None:
        await Row.objects.acreate(name="deepest")

    def in_savepoint() -> None:
        with transaction.atomic():
            async_to_sync(deepest)()

    async def body() -> Any:
        await Row.objects.acreate(name="outer")
        return await in_two_calls(inner)

    return asyncio.run(in_two_calls(body))


@of_coroutine
def a_block_of_two_calls_is_cancelled() -> Any:
    async def body() -> Any:
        async with InTwoCalls():
            await Row.objects.acreate(name="a")
            await asyncio.sleep(30)

    async def main() -> Any:
        try:
            await asyncio.wait_for(body(), 0.2)
        except asyncio.TimeoutError:
            return await anames()

    return asyncio.run(main())


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@of_coroutine
def calls_of_a_thread_switch_autocommit_off_and_on() -> Any:
    async def main() -> Any:
        await sync_to_async(transaction.set_autocommit)(False)
        await Row.objects.acreate(name="undone")
        inside = await anames()
        await sync_to_async(transaction.rollback)()
        await Row.objects.acreate(name="kept")
        await sync_to_async(transaction.commit)()
        await sync_to_async(transaction.set_autocommit)(True)
        await Row.objects.acreate(name="after")
        return inside, await anames()

    return asyncio.run(main())


@of_coroutine
def calls_of_a_thread_begin_and_end_a_transaction_by_hand() -> Any:
    async def main() -> Any:
        await sync_to_async(execute)("BEGIN")
        await Row.objects.acreate(name="undone")
        inside = await anames()
        await sync_to_async(execute)("ROLLBACK")
        await Row.objects.acreate(name="after")
        return inside, await anames()

    return asyncio.run(main())
