"""What leaves the event loop is told, or refused; what is not given back is told."""

import asyncio
import contextlib
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.contrib.auth.hashers import make_password
from django.db import connection

from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import atomic, await_thread, run_sync
from turbo_orm.pool import get_pool
from turbo_orm.test import hops, leaks, no_threads
from turbo_orm.test.threads import kept_on_loop

hopping = pytest.mark.needs_thread("hops are what the test is about")


def work(number=0):
    return number


def name_of_work():
    return f"{__name__}.work"


@hopping
@pytest.mark.parametrize(
    "send",
    [
        lambda: sync_to_async(work)(),
        lambda: sync_to_async(functools.partial(work, 1), thread_sensitive=False)(),
        lambda: asyncio.to_thread(work, 2),
        lambda: asyncio.get_running_loop().run_in_executor(None, functools.partial(work, 3)),
    ],
    ids=["sync_to_async", "sync_to_async elsewhere", "to_thread", "run_in_executor"],
)
async def test_each_way_to_a_thread_counts_once(send):
    with hops() as found:
        await send()
        await send()
    assert (found.threads, found.queries, found.count) == ([name_of_work()] * 2, [], 2)


@hopping
def test_threads_and_executors_of_ones_own_count():
    class Worker(threading.Thread):
        def run(self):
            work()

    with hops() as found:
        thread = threading.Thread(target=work)
        thread.start()
        worker = Worker()
        worker.start()
        with ThreadPoolExecutor() as executor:
            executor.submit(work).result()
        thread.join()
        worker.join()
    of_its_own = f"{__name__}.{Worker.run.__qualname__}"
    assert found.threads == [name_of_work(), of_its_own, name_of_work()]


@hopping
def test_the_thread_in_which_a_loop_ends_its_executor_does_not_count():
    with hops() as found:
        asyncio.run(asyncio.to_thread(work))
    assert found.threads == [name_of_work()]


@hopping
async def test_the_librarys_own_threads_count_only_strictly():
    with hops() as found, hops(strict=True) as all_of_them:
        await run_sync(make_password, "secret")
        await run_sync(await_thread, work)
    assert found.count == 0
    assert [name.rpartition(".")[2] for name in all_of_them.threads] == ["encode", "work"]
    with pytest.raises(AssertionError, match="work was sent to a thread"):
        with no_threads(strict=True):
            await run_sync(await_thread, work)


@pytest.mark.parametrize("order", ["kept first", "watched first"])
async def test_what_a_test_case_keeps_on_the_loop_counts(order):
    def contexts():
        yield kept_on_loop()
        yield hops()

    with contextlib.ExitStack() as stack:
        chosen = list(contexts())
        chosen = chosen if order == "kept first" else chosen[::-1]
        entered = [stack.enter_context(context) for context in chosen]
        assert await sync_to_async(threading.get_ident)() == threading.get_ident()
    assert [found.threads for found in entered if found is not None] == [["_thread.get_ident"]]


async def test_nothing_that_awaits_counts():
    with hops(strict=True) as found, no_threads(strict=True):
        await Author.objects.acreate(name="Ada")
        async with atomic():
            assert await run_sync(Author.objects.count) == 1
    assert found.count == 0


@hopping
async def test_the_first_thread_is_refused_by_name():
    with pytest.raises(AssertionError, match=rf"^{name_of_work()} was sent to a thread$"):
        with no_threads():
            await asyncio.to_thread(work)


async def test_a_refusal_that_was_swallowed_is_raised_at_the_end():
    with pytest.raises(AssertionError, match="work was sent to a thread"):
        with no_threads():
            with contextlib.suppress(AssertionError):
                await sync_to_async(work)()


async def test_an_error_of_the_block_is_not_replaced():
    with pytest.raises(ZeroDivisionError):
        with no_threads():
            with contextlib.suppress(AssertionError):
                await sync_to_async(work)()
            1 / 0  # noqa: B018


async def test_a_query_on_the_loop_outside_the_bridge_counts(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    # A new connection asks for the types of extensions, unless an earlier one has.
    connection.ensure_connection()
    with hops() as found, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.close()
    assert (found.threads, found.queries) == ([], ["SELECT 1"])
    with pytest.raises(AssertionError, match="^executed outside the bridge: SELECT 2$"):
        with no_threads(), connection.cursor() as cursor:
            cursor.execute("SELECT 2")
    connection.close()


def test_a_query_where_no_loop_runs_does_not_count():
    with hops() as found:
        assert Author.objects.count() == 0
    assert found.count == 0


def test_what_was_replaced_is_put_back():
    before = (SyncToAsync.__call__, ThreadPoolExecutor.submit, threading.Thread.start)
    with hops(), no_threads(), kept_on_loop():
        assert SyncToAsync.__call__ is not before[0]
    assert (SyncToAsync.__call__, ThreadPoolExecutor.submit, threading.Thread.start) == before


async def test_finished_work_leaks_nothing():
    async with leaks():
        await asyncio.gather(*(Author.objects.acount() for _ in range(10)))


async def test_work_that_goes_on_for_a_moment_leaks_nothing():
    # Later a connection in use is one that was lent, not one that is being opened.
    await Author.objects.acount()
    async with leaks():
        task = asyncio.create_task(run_sync(connection_sleeps, 0.1))
        await until(lambda: get_pool("default").stats().in_use == 1)
    assert get_pool("default").stats().in_use == 0
    await task


def connection_sleeps(seconds):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


async def test_a_connection_that_is_not_given_back_is_told():
    pool = get_pool("default")
    with pytest.raises(AssertionError) as caught:
        async with leaks(within=0.02):
            lent = await pool.lend()
            await lent.execute("BEGIN")
    assert str(caught.value) == (
        f"backend {lent.info.backend_pid} of database 'default' was not given back "
        "(transaction status: INTRANS)"
    )
    await lent.execute("ROLLBACK")
    pool.take_back(lent)


async def test_an_operation_that_waits_for_a_connection_is_told():
    pool = get_pool("default")
    lent = [await pool.lend() for _ in range(pool.stats().max_size)]
    with pytest.raises(AssertionError, match="1 operations wait for a connection of .*'default'"):
        async with leaks(within=0.02):
            task = asyncio.create_task(Author.objects.acount())
            await until(lambda: pool.stats().waiting == 1)
    for connection_lent in lent:
        pool.take_back(connection_lent)
    assert await task == 0
