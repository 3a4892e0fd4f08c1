"""Synchronous code calls coroutines, with ``async_to_sync``."""

from __future__ import annotations

import asyncio
import threading
import unittest
from typing import Any

import django
from asgiref.sync import async_to_sync, sync_to_async
from django.core.management import BaseCommand, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.dispatch import Signal
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from ..models import Deep, Row
from .registry import Undone, blocked, count, in_portal, names, scenario


@scenario
def a_coroutine_sees_the_rows_of_its_caller_and_shares_its_fate() -> Any:
    async def work() -> Any:
        before = await Row.objects.acount()
        await Row.objects.acreate(name="b")
        return before, [row.name async for row in Row.objects.order_by("id")]

    seen = []
    try:
        with transaction.atomic():
            Row.objects.create(name="a")
            seen.append(async_to_sync(work)())
            seen.append(names())
            raise Undone
    except Undone:
        seen.append(names())
    return seen


@scenario
def what_a_coroutine_wrote_is_committed_with_its_caller() -> Any:
    async def work() -> Any:
        await Row.objects.acreate(name="b")
        return await (await Row.objects.aget(name="b")).arefresh_from_db()

    with transaction.atomic():
        Row.objects.create(name="a")
        async_to_sync(work)()
    return names()


@scenario
def every_awaitable_method_runs_at_the_caller() -> Any:
    async def work() -> Any:
        objects = Row.objects
        await objects.abulk_create([Row(name=name) for name in "bcd"])
        row, made = await objects.aget_or_create(name="b")
        row.name = "B"
        await row.asave()
        await objects.filter(name="c").aupdate(name="C")
        await (await objects.aget(name="d")).adelete()
        streamed = [row.name async for row in objects.order_by("id").aiterator(chunk_size=1)]
        found = await objects.ain_bulk([row.pk])
        return (
            made,
            streamed,
            len(found),
            await objects.aexists(),
            (await objects.order_by("name").afirst()).name,
            (await objects.order_by("name").alast()).name,
            await objects.filter(name="B").acount(),
            await objects.aaggregate(n=django.db.models.Count("pk")),
            [row.name async for row in objects.raw("SELECT * FROM callers_row ORDER BY id")],
        )

    with transaction.atomic():
        Row.objects.create(name="a")
        return async_to_sync(work)()


@scenario
def the_same_query_again_and_again() -> Any:
    async def work(name: str) -> Any:
        return [
            (await Row.objects.aget(name=name)).name,
            await Row.objects.filter(name__gte=name).acount(),
            await Row.objects.filter(name=name).aexists(),
            [row.name async for row in Row.objects.filter(name__lte=name).order_by("id")],
        ]

    with transaction.atomic():
        for name in "abcde":
            Row.objects.create(name=name)
        return [async_to_sync(work)(name) for name in "abcde"]


@scenario
def a_command_calls_a_coroutine() -> Any:
    seen = []

    class Command(BaseCommand):
        def handle(self, **options: Any) -> None:
            async_to_sync(self.work)()

        async def work(self) -> None:
            seen.append(await Row.objects.acount())
            await Row.objects.acreate(name="command")

    with transaction.atomic():
        Row.objects.create(name="a")
        call_command(Command())
    return seen


@scenario
def a_signal_has_receivers_of_both_kinds() -> Any:
    if django.VERSION < (5, 0):
        return "Django 4.2 has no receivers that are coroutine functions"
    signal = Signal()
    seen = []

    def synchronous(**kwargs: Any) -> None:
        seen.append(Row.objects.count())
        Row.objects.create(name="synchronous")

    async def asynchronous(**kwargs: Any) -> None:
        seen.append(await Row.objects.acount())
        await Row.objects.acreate(name="asynchronous")

    signal.connect(synchronous)
    signal.connect(asynchronous)
    try:
        with transaction.atomic():
            Row.objects.create(name="a")
            signal.send(None)
            raise Undone
    except Undone:
        return seen, names()


@scenario
def sandwiches() -> Any:
    def innermost() -> Any:
        with transaction.atomic():
            Row.objects.create(name="innermost")
        try:
            with transaction.atomic():
                Row.objects.create(name="undone")
                raise Undone
        except Undone:
            return async_to_sync(count)()

    async def inner() -> Any:
        await Row.objects.acreate(name="inner")
        return await sync_to_async(innermost)(), await Row.objects.acount()

    def middle() -> Any:
        Row.objects.create(name="middle")
        return async_to_sync(inner)(), threading.get_ident() == main

    async def outer() -> Any:
        return await sync_to_async(middle)(), await sync_to_async(names)()

    main = threading.get_ident()
    with transaction.atomic():
        Row.objects.create(name="a")
        return async_to_sync(outer)(), connection.in_atomic_block


@scenario
def gathered_coroutines() -> Any:
    async def work() -> Any:
        await asyncio.gather(*(Row.objects.acreate(name=str(number)) for number in range(8)))
        await asyncio.gather(*(Deep.objects.acreate(name=f"deep {n}") for n in range(8)))
        return await Row.objects.acount()

    with transaction.atomic():
        return async_to_sync(work)(), Deep.objects.count()


@scenario
def a_block_and_a_bare_statement_are_gathered() -> Any:
    async def block() -> None:
        async def body() -> None:
            await Row.objects.acreate(name="block")
            await asyncio.sleep(0)
            await Row.objects.acreate(name="block again")

        await blocked(body)

    async def bare() -> None:
        await Row.objects.acreate(name="bare")

    async def work() -> Any:
        await asyncio.wait_for(asyncio.gather(block(), in_portal(bare)), 30)
        return await Row.objects.acount()

    return async_to_sync(work)(), sorted(names())


@scenario
def blocks_of_two_databases_are_gathered() -> Any:
    async def block(alias: str) -> None:
        async def body() -> None:
            for number in range(3):
                await Row.objects.using(alias).acreate(name=f"{alias} {number}")
                await asyncio.sleep(0)

        await blocked(body, alias)

    async def work() -> None:
        await asyncio.wait_for(asyncio.gather(block("default"), block("other")), 30)

    async_to_sync(work)()
    return names()


@scenario
def an_error_in_a_coroutine_breaks_the_block_of_its_caller() -> Any:
    async def twice() -> None:
        await Row.objects.acreate(name="a")

    seen = []
    with transaction.atomic():
        Row.objects.create(name="a")
        try:
            async_to_sync(twice)()
        except IntegrityError as error:
            seen.append(type(error).__name__)
        seen.append(connection.needs_rollback)
        try:
            Row.objects.count()
        except Exception as error:
            seen.append(type(error).__name__)
        transaction.set_rollback(True)
    return seen


@scenario
def a_savepoint_around_a_coroutine_that_fails() -> Any:
    async def twice() -> None:
        await Row.objects.acreate(name="b")
        await Row.objects.acreate(name="a")

    with transaction.atomic():
        Row.objects.create(name="a")
        try:
            with transaction.atomic():
                async_to_sync(twice)()
        except IntegrityError:
            return names()


@scenario
def callbacks_are_called_after_the_commit_of_the_caller() -> Any:
    seen = []

    async def work() -> None:
        register = sync_to_async(transaction.on_commit)
        await register(lambda: seen.append(("called", connection.in_atomic_block)))
        seen.append("registered")

    with transaction.atomic():
        async_to_sync(work)()
        seen.append("left")
    return seen


@scenario
def the_caller_sees_the_queries_of_the_coroutine() -> Any:
    async def work() -> None:
        await Row.objects.acreate(name="a")
        await Row.objects.acount()

    hooked = []

    def hook(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        hooked.append((sql, threading.get_ident() == main, context["connection"].alias))
        return execute(sql, params, many, context)

    main = threading.get_ident()
    with CaptureQueriesContext(connection) as queries, connection.execute_wrapper(hook):
        async_to_sync(work)()
    return [query["sql"] for query in queries.captured_queries], hooked


@scenario
def other_threads_may_call_too() -> Any:
    def call(name: str) -> None:
        async def work() -> Any:
            await Row.objects.acreate(name=name)
            return await Row.objects.acount()

        with transaction.atomic():
            Row.objects.create(name=f"before {name}")
            # Not even its own, uncommitted rows are anybody else's.
            seen.append(async_to_sync(work)())
        connections.close_all()

    seen: list[int] = []
    for name in "abc":
        thread = threading.Thread(target=call, args=(name,))
        thread.start()
        thread.join()
    return seen


@scenario
def a_coroutine_of_which_nobody_waits_for_a_thread() -> Any:
    async def work() -> Any:
        return await sync_to_async(lambda: connection.in_atomic_block, thread_sensitive=False)()

    with transaction.atomic():
        Row.objects.create(name="a")
        return async_to_sync(work)()


@scenario
def a_new_loop_is_forced() -> Any:
    async def work() -> Any:
        await Row.objects.acreate(name="b")
        return await Row.objects.acount()

    with transaction.atomic():
        Row.objects.create(name="a")
        return async_to_sync(work, force_new_loop=True)()


@scenario
def a_statement_is_cancelled() -> Any:
    async def work() -> Any:
        def sleep() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")
            Row.objects.create(name="slow")

        try:
            await asyncio.wait_for(sync_to_async(sleep)(), 0.05)
        except TimeoutError:
            return await Row.objects.acount()
        except asyncio.TimeoutError:
            return await Row.objects.acount()

    with transaction.atomic():
        return async_to_sync(work)(), names()


@scenario
def two_databases() -> Any:
    async def work() -> Any:
        await Row.objects.using("other").acreate(name="other")
        return await Row.objects.acount(), await Row.objects.using("other").acount()

    with transaction.atomic():
        Row.objects.create(name="default")
        return async_to_sync(work)()


@scenario
def coroutine_tests_of_djangos_test_case() -> Any:
    seen = []

    class Rows(TestCase):
        databases = {"default"}

        @classmethod
        def setUpTestData(cls) -> None:
            Row.objects.create(name="of the class")

        async def test_rows(self) -> None:
            await Row.objects.acreate(name="of the test")
            seen.append(await sync_to_async(names)())

        async def test_rows_again(self) -> None:
            await Row.objects.acreate(name="of the test")
            seen.append(await Row.objects.acount())

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Rows)
    result = unittest.TestResult()
    suite.run(result)
    return result.testsRun, [text for _, text in (*result.failures, *result.errors)], seen
