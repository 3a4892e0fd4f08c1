"""Whose connection it is: blocks, threads that they wait for, callers that wait for coroutines."""

import asyncio
import contextlib
import threading
import weakref

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import (
    IntegrityError,
    InterfaceError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Author, Tag
from tests.waiting import until, until_asleep
from turbo_orm import atomic, await_, eager, on_commit, portal, run_sync
from turbo_orm.callers import current_caller

pytestmark = pytest.mark.needs_thread("what is tested")

SLEEP = "SELECT pg_sleep(600)"


class Undone(Exception):
    """What rolls back."""


def names():
    return list(Tag.objects.order_by("pk").values_list("name", flat=True))


def add(name):
    return Tag.objects.create(name=name).name


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


@pytest.fixture(autouse=True)
def closed():
    """Close what asgiref's one thread has opened: its connection outlives the test."""
    from asgiref.sync import SyncToAsync

    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


# Callers that wait for a coroutine.


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


# Threads that a block waits for.


async def test_a_thread_takes_turns_with_the_tasks_of_the_block():
    async with atomic():
        await asyncio.gather(
            *(sync_to_async(add)(f"thread {n}") for n in range(4)),
            *(Tag.objects.acreate(name=f"task {n}") for n in range(4)),
        )
        inside = await Tag.objects.acount()
        transaction.set_rollback(True)

    assert (inside, await Tag.objects.acount()) == (8, 0)


async def test_a_savepoint_of_a_thread_keeps_its_turn():
    entered, go_on = threading.Event(), threading.Event()

    def work():
        with contextlib.suppress(Undone), transaction.atomic():
            add("undone")
            entered.set()
            go_on.wait(30)
            raise Undone

    async def beside():
        await until(entered.is_set)
        creating = asyncio.ensure_future(Tag.objects.acreate(name="beside"))
        await asyncio.sleep(0.02)
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
    go_on, ended = threading.Event(), threading.Event()
    errors = []

    def work():
        add("in the block")
        go_on.wait(30)
        try:
            add("too late")
        except transaction.TransactionManagementError as error:
            errors.append(str(error))
        finally:
            ended.set()

    async with atomic():
        working = asyncio.ensure_future(sync_to_async(work)())
        await until(lambda: Tag.objects.aexists())

    go_on.set()
    await working

    assert len(errors) == 1
    assert "has ended" in errors[0]
    assert await Tag.objects.acount() == 1


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
