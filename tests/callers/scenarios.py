"""What is done: functions, called in the main thread; what they return is compared."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import django
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.dispatch import Signal
from django.test import RequestFactory, TestCase, override_settings
from django.test.utils import CaptureQueriesContext

from . import STOCK
from .models import Deep, Row

SCENARIOS: dict[str, Callable[[], Any]] = {}


class Undone(Exception):
    """What rolls back."""


def scenario(function: Callable[[], Any]) -> Callable[[], Any]:
    """Register a scenario."""
    SCENARIOS[function.__name__] = function
    return function


# Blocks that a coroutine opens, with Turbo ORM on a connection of a pool.
OF_COROUTINES: list[Callable[[], Any]] = []


def of_coroutine(function: Callable[[], Any]) -> Callable[[], Any]:
    """Register a scenario whose connections are not counted: a pool opens as many as it likes."""
    OF_COROUTINES.append(function)
    return scenario(function)


def in_block(body: Callable[[], Any]) -> Any:
    """Await a coroutine function inside a block: Django's own way, or ours."""
    if settings.FLAVOUR == STOCK:
        with transaction.atomic():
            return async_to_sync(body)()
    from turbo_orm import atomic

    async def block() -> Any:
        async with atomic():
            return await body()

    return asyncio.run(block())


async def in_portal(body: Callable[[], Any]) -> Any:
    """Await a coroutine function; with Turbo ORM what it calls synchronously may query."""
    if settings.FLAVOUR == STOCK:
        return await body()
    from turbo_orm import portal

    return await portal(body())


async def blocked(body: Callable[[], Any], alias: str = "default") -> Any:
    """Await a coroutine function inside a synchronous block, where such code can wait."""
    if settings.FLAVOUR == STOCK:

        def block() -> Any:
            with transaction.atomic(alias):
                return async_to_sync(body)()

        return await sync_to_async(block)()

    async def inside() -> Any:
        with transaction.atomic(alias):
            return await body()

    return await in_portal(inside)


async def count() -> int:
    """Return how many rows are seen here."""
    return await Row.objects.acount()


def names() -> list[str]:
    """Return the names that are seen here."""
    return list(Row.objects.order_by("id").values_list("name", flat=True))


# Synchronous callers.


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


# Test cases of Django's.


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

    import unittest

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Rows)
    result = unittest.TestResult()
    suite.run(result)
    return result.testsRun, [text for _, text in (*result.failures, *result.errors)], seen


# Servers.


def _get(application: Any, path: str) -> Any:
    environ = RequestFactory().get(path).environ
    status: list[str] = []
    body = application(environ, lambda line, headers: status.append(line))
    try:
        return status, b"".join(body).decode()
    finally:
        body.close()


@scenario
def requests_under_wsgi() -> Any:
    from django.core.handlers.wsgi import WSGIHandler

    application = WSGIHandler()
    return [_get(application, f"/coroutine/{number}/") for number in range(10)]


@scenario
def a_block_around_a_coroutine_view_under_wsgi() -> Any:
    from django.core.handlers.wsgi import WSGIHandler

    with override_settings(MIDDLEWARE=["tests.callers.urls.all_or_nothing"]):
        application = WSGIHandler()
    return [_get(application, f"/coroutine/{name}/") for name in ("kept", "gone")]


async def _ask(application: Any, path: str) -> Any:
    from asgiref.testing import ApplicationCommunicator

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "http_version": "1.1",
    }
    talk = ApplicationCommunicator(application, scope)
    await talk.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await talk.receive_output(20)
    body = await talk.receive_output(20)
    await talk.wait(20)
    return start["status"], body["body"].decode()


def _served(*paths: str, middleware: tuple[str, ...] = ()) -> Any:
    from django.core.handlers.asgi import ASGIHandler

    async def serve() -> Any:
        return [await _ask(application, path) for path in paths]

    with override_settings(MIDDLEWARE=middleware):
        application = ASGIHandler()
    return asyncio.run(serve())


@scenario
def a_block_around_a_coroutine_view_under_djangos_own_asgi_handler() -> Any:
    middleware = ("tests.callers.urls.all_or_nothing",)
    return _served("/coroutine/kept/", "/coroutine/gone/", middleware=middleware)


@scenario
def a_block_around_a_synchronous_view_under_djangos_own_asgi_handler() -> Any:
    middleware = ("tests.callers.urls.all_or_nothing",)
    return _served("/synchronous/kept/", "/synchronous/gone/", middleware=middleware)


# Blocks of coroutines.


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


async def anames() -> list[str]:
    return [row.name async for row in Row.objects.order_by("id")]


class InTwoCalls:
    """A block as many projects write it: two calls of a thread enter and leave Django's own."""

    def __init__(self) -> None:
        self.block = transaction.atomic()

    async def __aenter__(self) -> None:
        await sync_to_async(self.block.__enter__)()

    async def __aexit__(self, *error: object) -> None:
        await sync_to_async(self.block.__exit__)(*error)


async def in_two_calls(body: Callable[[], Any]) -> Any:
    """Await a coroutine function in such a block, and roll it back."""
    found = None
    try:
        async with InTwoCalls():
            found = await body()
            raise Undone
    except Undone:
        return found, await anames()


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
