"""Whose connection it is: blocks of a loop, and the threads that they wait for."""

import asyncio
import contextlib
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import (
    InterfaceError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.test.utils import CaptureQueriesContext

from tests.guests import Undone, add, names
from tests.testapp.models import Tag
from tests.waiting import those_in_line, until, until_asleep
from turbo_orm import atomic, await_, eager, portal, run_sync
from turbo_orm.callers import current_caller

pytestmark = [
    pytest.mark.needs_thread("what is tested"),
    pytest.mark.usefixtures("no_connection_of_asgirefs_thread"),
]

SLEEP = "SELECT pg_sleep(600)"


async def test_a_thread_takes_turns_with_the_tasks_of_the_block():
    async with atomic():
        await asyncio.gather(
            *(sync_to_async(add)(f"thread {n}") for n in range(4)),
            *(Tag.objects.acreate(name=f"task {n}") for n in range(4)),
        )
        inside = await Tag.objects.acount()
        transaction.set_rollback(True)

    assert (inside, await Tag.objects.acount()) == (8, 0)


async def test_a_savepoint_of_a_thread_keeps_its_turn(monkeypatch):
    entered, go_on = threading.Event(), threading.Event()
    in_line = those_in_line(monkeypatch)

    def work():
        with contextlib.suppress(Undone), transaction.atomic():
            add("undone")
            entered.set()
            go_on.wait(30)
            raise Undone

    async def beside():
        await until(entered.is_set)
        creating = asyncio.ensure_future(Tag.objects.acreate(name="beside"))
        await until(lambda: in_line)
        waited.append(not creating.done())
        go_on.set()
        await creating

    waited = []
    async with atomic():
        await asyncio.gather(sync_to_async(work)(), beside())

    assert (waited, [tag.name async for tag in Tag.objects.all()]) == ([True], ["beside"])


@pytest.mark.parametrize("opens", [False, True], ids=["statement", "savepoint"])
async def test_a_savepoint_of_a_thread_lets_in_what_it_waits_for(opens):
    # Stock asgiref hangs here: its one thread waits for itself.
    async def sibling():
        await begun.wait()
        if opens:
            await run_sync(savepoint)
        return await Tag.objects.acount()

    def savepoint():
        with transaction.atomic():
            add("sibling")

    async def wait():
        begun.set()
        return await beside

    def work():
        with transaction.atomic():
            add("thread")
            return async_to_sync(wait)(), names()

    begun = asyncio.Event()
    async with atomic():
        beside = asyncio.create_task(sibling())
        found = await asyncio.wait_for(sync_to_async(work)(), 30)
        inside = await Tag.objects.acount()

    expected = ["thread", "sibling"] if opens else ["thread"]
    assert (found, inside) == ((len(expected), expected), len(expected))


@pytest.mark.parametrize("way", ["job", "savepoint", "eager", "portal"])
async def test_a_job_lets_in_what_it_waits_for(way):
    async def sibling():
        await begun.wait()
        return await Tag.objects.acount()

    def work():
        block = contextlib.nullcontext() if way == "job" else transaction.atomic()
        with block:
            add("job")
            begun.set()
            return await_(beside), names()

    async def in_portal():
        return work()

    begun = asyncio.Event()
    async with atomic():
        beside = asyncio.create_task(sibling())
        begin = {"eager": lambda: eager(work), "portal": lambda: portal(in_portal())}
        found = await asyncio.wait_for(begin.get(way, lambda: run_sync(work))(), 30)

    assert found == (1, ["job"])


async def test_a_job_without_a_savepoint_lets_in_whoever_sets_its_event():
    async def wait():
        await seen.wait()

    def work():
        add("job")
        await_(wait())
        return names()

    async def sibling():
        await Tag.objects.acreate(name="sibling")
        seen.set()

    seen = asyncio.Event()
    async with atomic():
        both = asyncio.gather(run_sync(work), sibling())
        found, _ = await asyncio.wait_for(both, 30)

    assert found == ["job", "sibling"]


async def test_a_thread_that_code_in_the_bridge_waits_for_is_inside():
    def work():
        with transaction.atomic():
            add("bridge")
            return await_(sync_to_async(inner)())

    def inner():
        with transaction.atomic():
            add("thread")
        return names(), connection.in_atomic_block

    found = await run_sync(work)

    assert found == (["bridge", "thread"], True)
    assert await Tag.objects.acount() == 2


async def test_callbacks_of_both_kinds_may_be_registered_in_a_thread():
    seen = []

    async def later():
        seen.append(await Tag.objects.acount())

    def work():
        add("a")
        transaction.on_commit(lambda: seen.append(Tag.objects.count()))
        transaction.on_commit(later)

    async with atomic():
        await sync_to_async(work)()
        assert seen == []

    assert seen == [1, 1]


async def test_the_block_sees_the_queries_of_its_threads():
    hooked = []

    def hook(execute, sql, params, many, context):
        hooked.append(context["connection"].alias)
        return execute(sql, params, many, context)

    async with atomic():
        with CaptureQueriesContext(connection) as queries, connection.execute_wrapper(hook):
            await sync_to_async(add)("a")

    assert (len(queries), hooked) == (1, ["default"])


async def test_a_stream_that_a_thread_left_open_is_closed_with_the_block():
    kept = []

    def begin():
        Tag.objects.bulk_create([Tag(name=name) for name in "abc"])
        kept.append(Tag.objects.order_by("pk").iterator(chunk_size=1))
        return next(kept[0]).name

    async with atomic():
        first = await sync_to_async(begin)()

    assert (first, await Tag.objects.acount()) == ("a", 3)


async def test_a_thread_that_goes_on_after_the_block_gets_an_error():
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    errors = []

    def work():
        add("in the block")
        begun.set()
        go_on.wait(30)
        try:
            add("too late")
        except transaction.TransactionManagementError as error:
            errors.append(str(error))
        finally:
            ended.set()

    async with atomic():
        working = asyncio.ensure_future(sync_to_async(work)())
        await until(begun.is_set)
        # Only the thread of a call that was cancelled outlives the block.
        working.cancel()
        await asyncio.wait({working})

    go_on.set()
    await until(ended.is_set)

    assert len(errors) == 1
    assert "has ended" in errors[0]
    assert await Tag.objects.acount() == 1


async def test_the_thread_of_a_cancelled_call_is_let_in_where_a_savepoint_waits_behind_it():
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        go_on.wait(30)
        add("cancelled call")

    def job():
        with transaction.atomic():
            add("job")
            go_on.set()
            # Thread-sensitive calls have one thread, which is still at work.
            await_(sync_to_async(str)())

    async with atomic():
        call = asyncio.ensure_future(sync_to_async(work)())
        await until(begun.is_set)
        call.cancel()
        await asyncio.wait({call})
        await asyncio.wait_for(run_sync(job), 30)

    assert await run_sync(names) == ["job", "cancelled call"]


async def test_a_call_and_a_savepoint_that_want_two_databases_do_not_wait_for_each_other():
    def job():
        with transaction.atomic(using="other"):
            Tag.objects.using("other").create(name="other")
            await_(asyncio.sleep(0.01))
            add("job")

    async with atomic(), atomic(using="other"):
        await asyncio.wait_for(asyncio.gather(run_sync(job), sync_to_async(add)("call")), 30)

    assert sorted(await run_sync(names)) == ["call", "job"]
    assert await Tag.objects.using("other").acount() == 1


async def test_after_a_cancellation_the_statement_of_the_thread_is_waited_for():
    def work():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")
        seen.append("slept")
        try:
            add("too late")
        except (transaction.TransactionManagementError, InterfaceError):
            seen.append("refused")

    async def block():
        async with atomic():
            await Tag.objects.acreate(name="undone")
            await sync_to_async(work)()

    seen = []
    task = asyncio.create_task(block())
    await until_asleep()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await Tag.objects.acount() == 0
    await until(lambda: len(seen) == 2)
    assert seen == ["slept", "refused"]


async def test_a_cancelled_call_leaves_no_caller_behind():
    def work():
        async_to_sync(called_from_thread)()

    async def called_from_thread():
        await sync_to_async(busy)()

    def busy():
        entered.set()
        go_on.wait(30)

    async def block():
        try:
            async with atomic():
                await Tag.objects.acreate(name="undone")
                await sync_to_async(work)()
        finally:
            seen.append(current_caller())

    entered, go_on, seen = threading.Event(), threading.Event(), []
    task = asyncio.create_task(block())
    try:
        await until(entered.is_set)
        # asgiref waits for the thread after the first.
        for _ in range(2):
            task.cancel()
            for _ in range(20):
                await asyncio.sleep(0)
        await asyncio.wait({task}, timeout=30)
    finally:
        go_on.set()

    assert (task.cancelled(), seen, await Tag.objects.acount()) == (True, [None], 0)


async def test_only_thread_sensitive_calls_are_inside():
    def look():
        try:
            return names(), connection.in_atomic_block
        finally:
            connections.close_all()

    async with atomic():
        await Tag.objects.acreate(name="a")
        outside = [
            await sync_to_async(look, thread_sensitive=False)(),
            await asyncio.to_thread(look),
            await asyncio.get_running_loop().run_in_executor(None, look),
        ]

    assert outside == [([], False)] * 3


async def test_a_loop_of_its_own_has_connections_of_its_own():
    async def elsewhere(name):
        from turbo_orm import close_pools

        async with atomic():
            await Tag.objects.acreate(name=name)
            await asyncio.gather(*(Tag.objects.acount() for _ in range(3)))
        found = await Tag.objects.acount(), await sync_to_async(names)()
        await close_pools()
        return found

    def forced():
        # Stock asgiref: a thread that waits, and a loop of its own that calls it back.
        try:
            return async_to_sync(elsewhere)("forced")
        finally:
            connections.close_all()

    async with atomic():
        await Tag.objects.acreate(name="a")
        first = await asyncio.to_thread(asyncio.run, elsewhere("run"))
        inside = await Tag.objects.acount()
        second = await asyncio.to_thread(forced)
        transaction.set_rollback(True)

    assert first == (1, ["run"])
    assert inside == 2
    assert second == (2, ["run", "forced"])
    assert await Tag.objects.acount() == 2


async def test_a_thread_of_a_block_runs_a_loop_of_its_own():
    async def elsewhere():
        from turbo_orm import close_pools

        await Tag.objects.acreate(name="elsewhere")
        await close_pools()
        return await_names()

    def await_names():
        return "done"

    def work():
        add("thread")
        return asyncio.run(elsewhere()), names()

    async with atomic():
        found = await sync_to_async(work)()
        transaction.set_rollback(True)

    # The loop's own row is committed.
    assert found == ("done", ["thread", "elsewhere"])
    assert [tag.name async for tag in Tag.objects.all()] == ["elsewhere"]


async def test_sandwiches_of_blocks_threads_and_callers():
    async def innermost():
        async with atomic():
            await Tag.objects.acreate(name="innermost")
        with contextlib.suppress(Undone):
            async with atomic():
                await Tag.objects.acreate(name="undone")
                raise Undone
        return await portal(in_portal())

    async def in_portal():
        with transaction.atomic():
            add("portal")
        return await sync_to_async(names)()

    def work():
        with transaction.atomic():
            add("thread")
            return async_to_sync(innermost)()

    async with atomic():
        await Tag.objects.acreate(name="block")
        found = await sync_to_async(work)()
        count = await Tag.objects.acount()
        transaction.set_rollback(True)

    assert (found, count) == (["block", "thread", "innermost", "portal"], 4)
    assert await Tag.objects.acount() == 0


async def test_a_synchronous_caller_in_a_thread_has_its_own_connection_outside_a_block():
    async def work():
        await Tag.objects.acreate(name="coroutine")
        return await Tag.objects.acount(), await portal(inner())

    async def inner():
        return names()

    def caller():
        with transaction.atomic():
            add("thread")
            found = async_to_sync(work)()
            transaction.set_rollback(True)
        return found

    assert await sync_to_async(caller)() == (2, ["thread", "coroutine"])
    assert await Tag.objects.acount() == 0


async def test_a_thread_that_closes_old_connections_keeps_that_of_the_block():
    def work():
        add("a")
        # As channels does around each of its calls.
        close_old_connections()
        return names()

    async with atomic():
        assert await sync_to_async(work)() == ["a"]
