"""Whose connection it is: callers that wait for coroutines, and blocks on both sides."""

import asyncio
import contextlib
import threading
import weakref

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import (
    IntegrityError,
    connection,
    connections,
    transaction,
)
from django.test.utils import CaptureQueriesContext

from tests.guests import Undone, add, names
from tests.testapp.models import Author, Tag
from tests.waiting import until
from turbo_orm import atomic, eager, on_commit, portal, run_sync

pytestmark = [
    pytest.mark.needs_thread("what is tested"),
    pytest.mark.usefixtures("no_connection_of_asgirefs_thread"),
]


def in_own_thread(function):
    """Call a function in a thread of its own, and close the connections that it opened."""
    found = []

    def call():
        try:
            found.append(function())
        finally:
            connections.close_all()

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "it hangs"
    return found[0]


def called(coroutine_function, *, undone=False):
    """Call a coroutine function from a block; return its answer and the rows afterwards."""
    answers = []
    with contextlib.suppress(Undone), transaction.atomic():
        add("caller")
        answers.append(async_to_sync(coroutine_function)())
        answers.append(names())
        if undone:
            raise Undone
    return *answers, names()


@pytest.mark.parametrize("undone", [False, True])
def test_a_block_of_a_coroutine_is_a_savepoint_of_its_caller(undone):
    async def work():
        async with atomic():
            await Tag.objects.acreate(name="kept")
        with contextlib.suppress(Undone):
            async with atomic():
                await Tag.objects.acreate(name="undone")
                raise Undone
        return connection.in_atomic_block

    inside = True, ["caller", "kept"]
    assert called(work, undone=undone) == (*inside, [] if undone else ["caller", "kept"])


def test_the_outermost_block_of_a_coroutine_commits():
    async def work():
        async with atomic():
            await Tag.objects.acreate(name="a")
            seen.append(in_own_thread(names))

    seen = []
    async_to_sync(work)()

    assert (seen, in_own_thread(names)) == ([[]], ["a"])
    assert not connection.in_atomic_block


def test_blocks_of_gathered_coroutines_wait_for_each_other():
    async def one(number):
        with contextlib.suppress(Undone):
            async with atomic():
                await Tag.objects.acreate(name=str(number))
                await asyncio.sleep(0)
                await Tag.objects.acreate(name=f"{number} again")
                if number % 2:
                    raise Undone

    async def work():
        await asyncio.gather(*(one(number) for number in range(6)))

    _, _, rows = called(work)

    assert sorted(rows) == sorted(
        ["caller", *(name for n in (0, 2, 4) for name in (f"{n}", f"{n} again"))]
    )


def test_what_is_gathered_beside_a_block_is_not_in_it():
    async def block(entered, go_on):
        with contextlib.suppress(Undone):
            async with atomic():
                await Tag.objects.acreate(name="in the block")
                entered.set()
                await go_on.wait()
                raise Undone

    async def beside(entered, go_on):
        await entered.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
        await Tag.objects.acreate(name="beside")

    async def work():
        events = asyncio.Event(), asyncio.Event()
        await asyncio.gather(block(*events), beside(*events))

    assert called(work)[2] == ["caller", "beside"]


@pytest.mark.parametrize("way", ["await", "portal"])
def test_a_block_and_what_is_gathered_beside_it_do_not_wait_for_each_other(way):
    async def block(entered):
        with contextlib.suppress(Undone), transaction.atomic():
            add("in the block")
            entered.set()
            # Until the other task wants the connection.
            for _ in range(5):
                await asyncio.sleep(0)
            add("in the block again")
            raise Undone

    async def beside(entered):
        await entered.wait()
        if way == "portal":
            add("beside")
        else:
            await Tag.objects.acreate(name="beside")

    async def work():
        entered = asyncio.Event()
        bare = beside(entered)
        both = asyncio.gather(portal(block(entered)), portal(bare) if way == "portal" else bare)
        await asyncio.wait_for(both, 30)

    assert called(work)[2] == ["caller", "beside"]


@pytest.mark.parametrize("way", ["await", "portal"])
def test_blocks_of_two_databases_do_not_wait_for_each_other(way):
    async def block(alias):
        async with atomic(alias):
            for name in "abc":
                await Tag.objects.using(alias).acreate(name=name)
                await asyncio.sleep(0)

    async def work():
        blocks = [block("default"), block("other")]
        both = asyncio.gather(*(map(portal, blocks) if way == "portal" else blocks))
        await asyncio.wait_for(both, 30)

    async_to_sync(work)()

    found = [list(Tag.objects.using(alias).order_by("pk")) for alias in ("default", "other")]
    assert [[tag.name for tag in tags] for tags in found] == [[*"abc"]] * 2


def test_a_task_beside_a_temporary_connection_keeps_its_cursor():
    async def temporary(opened, used):
        with connection.temporary_connection() as cursor:
            cursor.execute("SELECT 1")
            opened.set()
            await used.wait()

    async def beside(opened, used):
        await opened.wait()
        with connection.cursor() as cursor:
            used.set()
            for _ in range(5):
                await asyncio.sleep(0)
            cursor.execute("SELECT 2")
            return cursor.fetchone()

    async def work():
        events = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(portal(temporary(*events)), portal(beside(*events)))

    assert in_own_thread(lambda: async_to_sync(work)()) == [None, (2,)]


def test_a_thread_and_a_loop_that_ask_at_once_get_the_same_wrapper(monkeypatch):
    both, create = threading.Barrier(2), connections.create_connection

    def slowly(alias):
        made = create(alias)
        both.wait(30)
        return made

    def state():
        return vars(connections["default"])

    async def work():
        in_thread = asyncio.ensure_future(sync_to_async(state)())
        for _ in range(5):
            await asyncio.sleep(0)
        return state() is await in_thread

    monkeypatch.setattr(connections, "create_connection", slowly)
    assert in_own_thread(lambda: async_to_sync(work)())


def test_tasks_of_a_block_are_in_it():
    async def work():
        with contextlib.suppress(Undone):
            async with atomic():
                await asyncio.gather(*(Tag.objects.acreate(name=n) for n in "abc"))
                raise Undone

    assert called(work)[2] == ["caller"]


def test_a_task_cannot_open_a_block_in_that_of_another():
    async def block():
        async with atomic():
            pass

    async def work():
        async with atomic():
            with pytest.raises(transaction.TransactionManagementError, match="of its own there"):
                await asyncio.create_task(block())

    assert called(work)[2] == ["caller"]


def test_synchronous_code_in_a_portal_uses_the_connection_of_the_caller():
    async def inner():
        with contextlib.suppress(Undone), transaction.atomic():
            add("undone")
            raise Undone
        with transaction.atomic():
            add("kept")
        return names(), connection.in_atomic_block, connection.vendor

    async def work():
        return await portal(inner()), await asyncio.gather(portal(inner2("x")), portal(inner2("y")))

    async def inner2(name):
        with transaction.atomic():
            add(name)
            await asyncio.sleep(0)
            add(name * 2)
        return name

    answers, _, rows = called(work)

    assert answers == ((["caller", "kept"], True, "postgresql"), ["x", "y"])
    assert rows in (
        ["caller", "kept", *"x", "xx", "y", "yy"],
        ["caller", "kept", "y", "yy", "x", "xx"],
    )


def test_eager_code_uses_the_connection_of_the_caller():
    async def work():
        return await asyncio.gather(*(eager(add, name) for name in "abc"))

    assert called(work)[2] == ["caller", "a", "b", "c"]


def test_errors_in_a_portal_break_the_block_of_the_caller():
    async def twice():
        with contextlib.suppress(IntegrityError):
            Author.objects.create(pk=1, name="a")
            Author.objects.create(pk=1, name="a")
        return connection.needs_rollback, transaction.get_connection().in_atomic_block

    async def work():
        return await portal(twice())

    with transaction.atomic():
        assert async_to_sync(work)() == (True, True)
        with pytest.raises(transaction.TransactionManagementError):
            names()
        transaction.set_rollback(True)


@pytest.mark.parametrize("way", ["await", "portal"])
def test_callbacks_of_both_kinds_run_after_the_commit(way):
    seen = []

    async def later():
        seen.append((await Tag.objects.acount(), connection.in_atomic_block))

    async def register():
        await on_commit(lambda: seen.append(names()))
        await on_commit(later)

    async def work():
        await (portal(register()) if way == "portal" else register())
        async with atomic():
            await Tag.objects.acreate(name="b")
            await on_commit(later)
        return list(seen)

    assert called(work)[0] == []
    assert seen == [["caller", "b"], (2, False), (2, False)]


def test_callbacks_of_a_block_of_a_coroutine_run_before_it_goes_on():
    seen = []

    async def later():
        seen.append(await Tag.objects.acount())

    async def work():
        async with atomic():
            await Tag.objects.acreate(name="a")
            await on_commit(later)
        return list(seen)

    assert async_to_sync(work)() == [1]


def test_the_caller_and_the_coroutine_share_query_log_and_hooks():
    hooked = []

    def hook(execute, sql, params, many, context):
        hooked.append(sql)
        return execute(sql, params, many, context)

    async def work():
        with CaptureQueriesContext(connection) as own:
            await Tag.objects.acount()
            await portal(in_portal())
            # Its plan is known by now.
            await Tag.objects.acount()
        with connection.execute_wrapper(hook):
            await Tag.objects.acount()
        return len(own), len(hooked)

    async def in_portal():
        return Tag.objects.count()

    with CaptureQueriesContext(connection) as queries:
        assert async_to_sync(work)() == (3, 1)
    assert len(queries) == 4


def test_a_thread_without_a_connection_gets_its_own():
    # A new connection asks for the types of extensions, unless an earlier one has.
    connection.close()
    connection.ensure_connection()

    async def work():
        before = connection.in_atomic_block
        with CaptureQueriesContext(connection) as queries:
            await Tag.objects.acreate(name="a")
        return before, len(queries), await portal(inner())

    async def inner():
        return names()

    def thread():
        return async_to_sync(work)(), connection.connection is not None

    assert in_own_thread(thread) == ((False, 1, ["a"]), True)


@pytest.mark.parametrize("way", ["hop", "portal"])
def test_a_stream_uses_the_connection_of_the_caller(way):
    async def read():
        return [tag.name async for tag in Tag.objects.order_by("pk").aiterator(chunk_size=1)]

    async def work():
        await Tag.objects.abulk_create([Tag(name=name) for name in "ab"])
        return await (portal(read()) if way == "portal" else read())

    assert called(work)[0] == ["caller", "a", "b"]


def test_a_cancelled_coroutine_leaves_its_block():
    async def work(entered):
        async with atomic():
            await Tag.objects.acreate(name="undone")
            entered.set()
            await asyncio.sleep(600)

    async def outer():
        entered = asyncio.Event()
        task = asyncio.create_task(work(entered))
        await entered.wait()
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled(), connection.in_atomic_block, len(connection.savepoint_ids)

    assert called(outer) == ((True, True, 0), ["caller"], ["caller"])


@pytest.mark.parametrize("ticks", range(12))
def test_a_cancellation_at_any_time_leaves_no_block_open(ticks):
    async def work():
        async with atomic():
            await Tag.objects.acreate(name="undone")
            async with atomic():
                await Tag.objects.acreate(name="undone too")
            await asyncio.sleep(600)

    async def outer():
        task = asyncio.create_task(work())
        for _ in range(ticks):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.wait({task})
        return len(connection.savepoint_ids), await Tag.objects.acount()

    assert called(outer)[0] == (0, 1)


def test_a_block_that_outlives_its_caller_is_rolled_back():
    async def main():
        return await sync_to_async(caller)()

    def caller():
        async_to_sync(leave_behind)()
        try:
            return connection.in_atomic_block, names()
        finally:
            connections.close_all()

    async def leave_behind():
        started = asyncio.Event()
        tasks.append(asyncio.create_task(linger(started)))
        await started.wait()

    async def linger(started):
        async with atomic():
            await Tag.objects.acreate(name="undone")
            started.set()
            await asyncio.sleep(0.2)

    async def outermost():
        found = await main()
        with pytest.raises(transaction.TransactionManagementError):
            await tasks[0]
        return found

    tasks = []

    assert asyncio.run(outermost()) == (False, [])


def test_a_task_that_outlives_its_caller_has_a_connection_of_the_pool():
    async def outermost():
        def caller():
            with transaction.atomic():
                add("caller")
                async_to_sync(begin)()
                go_on.wait(30)
                transaction.set_rollback(True)
            connections.close_all()

        async def begin():
            tasks.append(asyncio.create_task(later()))
            seen.append(await Tag.objects.acount())

        async def later():
            await returned.wait()
            seen.append(await Tag.objects.acount())
            await Tag.objects.acreate(name="later")

        returned, go_on = asyncio.Event(), threading.Event()
        calling = asyncio.ensure_future(sync_to_async(caller)())
        await until(lambda: seen)
        await asyncio.sleep(0.01)
        returned.set()
        await tasks[0]
        go_on.set()
        await calling
        return seen, await Tag.objects.acount()

    tasks, seen = [], []

    assert asyncio.run(outermost()) == ([1, 0], 1)


def test_a_guest_is_nobodys_after_its_call():
    kept = []

    async def work():
        await portal(keep())

    async def keep():
        kept.append(connections["default"])
        return connection.cursor().execute("SELECT 1").fetchone()

    async def use():
        return await run_sync(lambda: kept[0].cursor())

    async_to_sync(work)()
    with pytest.raises(Exception, match="no longer waits"):
        asyncio.run(use())


def test_a_wrapper_that_a_test_case_of_djangos_has_had_works_in_a_portal():
    async def work():
        return await portal(inner())

    async def inner():
        return names()

    # Django puts methods back that way.
    connection.cursor = connection.cursor
    connection.connect = connection.connect

    assert called(work)[0] == ["caller"]


def test_nothing_is_kept_alive():
    class Thing:
        pass

    async def work():
        thing = Thing()
        seen.append(weakref.ref(thing))
        await portal(inner())
        await Tag.objects.acount()

    async def inner():
        return names()

    seen = []
    async_to_sync(work)()

    assert seen[0]() is None
    assert not [name for name in vars(connections["default"]) if name.startswith("_turbo")]
