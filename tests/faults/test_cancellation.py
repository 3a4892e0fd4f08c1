"""Cancellation anywhere: never swallowed, no connection lost, no transaction left open."""

import asyncio
import contextlib
import contextvars
import random

import anyio
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import IntegrityError, connection
from django.db.models import F, Sum
from django.db.transaction import TransactionManagementError

from tests.invariant import assert_at_rest
from tests.straight import connect
from tests.testapp.models import Article, Author
from tests.waiting import FOREVER, until, until_asleep, until_locked, until_nobody_sleeps
from turbo_orm import atomic, on_commit, pool_stats, run_sync
from turbo_orm.pool import get_pool


def sleep_in_server(seconds):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def interrupted():
    """Expect the error of a block that would end without one."""
    return pytest.raises(TransactionManagementError, match="was interrupted")


async def cancelled(task):
    """Cancel a task and say whether that was not swallowed."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


async def read():
    await Author.objects.filter(name="Ada").alist()


async def slow_read():
    await run_sync(sleep_in_server, 0.01)


async def write_in_block():
    async with atomic():
        await Author.objects.filter(name="Ada").aupdate(age=F("age") - 1)
        await Author.objects.filter(name="Bob").aupdate(age=F("age") + 1)


async def nested_blocks():
    async with atomic():
        await Author.objects.filter(name="Ada").aupdate(age=F("age") + 1)
        with contextlib.suppress(ArithmeticError):
            async with atomic():
                await Author.objects.filter(name="Bob").aupdate(age=0)
                raise ArithmeticError
        await Author.objects.filter(name="Bob").aupdate(age=F("age") - 1)


async def sync_block():
    def work():
        with atomic():
            Author.objects.filter(name="Ada").update(age=F("age") - 1)
            Author.objects.filter(name="Bob").update(age=F("age") + 1)

    await run_sync(work)


async def stream():
    async for _ in Article.objects.order_by("id").aiterator(chunk_size=3):
        await asyncio.sleep(0)


async def gathered_in_block():
    async with atomic():
        await asyncio.gather(*(Author.objects.acount() for _ in range(3)))


WORK = (read, slow_read, write_in_block, nested_blocks, sync_block, stream, gathered_in_block)


async def cancel_at_random(seed, times, parallel=12):
    """Run that many pieces of work, twelve at a time on four connections; cancel each somewhere.

    Return how many cancellations were swallowed: delivered to a task that then returned normally
    although it was not done when it was cancelled.
    """
    randomness = random.Random(seed)
    swallowed = 0

    async def one():
        nonlocal swallowed
        task = asyncio.create_task(randomness.choice(WORK)())
        await asyncio.sleep(randomness.random() ** 2 * 0.02)
        if task.done():
            await task
        elif not await cancelled(task):
            swallowed += 1

    for _ in range(times // parallel):
        await asyncio.gather(*(one() for _ in range(parallel)))
    return swallowed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(10))
async def test_two_hundred_random_cancellations_lose_and_swallow_nothing(seed):
    await Author.objects.abulk_create([Author(name="Ada", age=500), Author(name="Bob", age=500)])
    ada = await Author.objects.aget(name="Ada")
    await Article.objects.abulk_create(Article(title=f"{n}", author=ada) for n in range(20))

    swallowed = await cancel_at_random(seed, 204)

    assert swallowed == 0
    await assert_at_rest("default")
    assert await Author.objects.aaggregate(total=Sum("age")) == {"total": 1000}


@pytest.mark.parametrize("cancels", [1, 2, 5])
async def test_repeated_cancellation_during_clean_up_loses_nothing(cancels):
    await Author.objects.abulk_create([Author(name="Ada", age=500), Author(name="Bob", age=500)])
    randomness = random.Random(cancels)

    for _ in range(60):
        task = asyncio.create_task(randomness.choice(WORK)())
        await asyncio.sleep(randomness.random() * 0.01)
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(randomness.random() * 0.002)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    await assert_at_rest("default")
    assert await Author.objects.aaggregate(total=Sum("age")) == {"total": 1000}


async def test_cancelled_query_stops_on_the_server_and_its_connection_is_used_again(full_pool):
    made = pool_stats().connections_made
    task = asyncio.create_task(run_sync(sleep_in_server, FOREVER))
    await until_asleep()

    assert await cancelled(task)

    assert pool_stats().connections_made == made


async def test_cancelled_while_waiting_for_a_connection_takes_none():
    pool = get_pool("default")
    held = [await pool.lend() for _ in range(4)]
    waiting = [asyncio.create_task(Author.objects.acount()) for _ in range(20)]
    await until(lambda: pool_stats().waiting == 20)

    assert all([await cancelled(task) for task in waiting])

    for lent in held:
        pool.take_back(lent)
    assert await Author.objects.acount() == 0


async def test_swallowed_cancellation_cannot_commit_half_a_block():
    async def stubborn():
        async with atomic():
            await Author.objects.acreate(name="first half")
            with contextlib.suppress(asyncio.CancelledError):
                await run_sync(sleep_in_server, FOREVER)

    task = asyncio.create_task(stubborn())
    await until_asleep()
    task.cancel()
    with interrupted():
        await task

    assert await Author.objects.acount() == 0


async def test_swallowed_cancellation_of_a_save_cannot_commit_half_a_block():
    def slow_save():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 0")
        Author.objects.select_for_update(nowait=False).get(name="locked").save()

    async def stubborn():
        async with atomic():
            await Author.objects.acreate(name="first half")
            with contextlib.suppress(asyncio.CancelledError):
                await run_sync(slow_save)

    await Author.objects.acreate(name="locked")
    async with atomic():
        await Author.objects.select_for_update().aget(name="locked")
        task = contextvars.Context().run(asyncio.create_task, stubborn())
        await until_locked()
        task.cancel()
        with interrupted():
            await task

    assert await Author.objects.filter(name="first half").acount() == 0


async def test_cancellation_while_waiting_for_a_turn_cannot_commit_half_a_block():
    async def stubborn():
        async with atomic():
            await Author.objects.acreate(name="first half")
            child = asyncio.create_task(Author.objects.select_for_update().aget(name="locked"))
            await until_locked()
            waits.set()
            with contextlib.suppress(asyncio.CancelledError):
                await Author.objects.acreate(name="second half")
            await child

    waits = asyncio.Event()
    await Author.objects.acreate(name="locked")
    async with atomic():
        await Author.objects.select_for_update().aget(name="locked")
        task = contextvars.Context().run(asyncio.create_task, stubborn())
        await waits.wait()
        task.cancel()
    with interrupted():
        await task

    assert [author.name async for author in Author.objects.all()] == ["locked"]


async def test_cancellation_inside_a_savepoint_that_is_rolled_back_spares_the_outer_block():
    async def work():
        async with atomic():
            await Author.objects.acreate(name="outer")
            with contextlib.suppress(asyncio.CancelledError):
                async with atomic():
                    await Author.objects.acreate(name="inner")
                    await run_sync(sleep_in_server, FOREVER)
            await Author.objects.acreate(name="after")

    task = asyncio.create_task(work())
    await until_asleep()
    task.cancel()
    await task

    assert [a.name async for a in Author.objects.order_by("id")] == ["outer", "after"]


async def test_cancelled_child_dooms_the_block_that_it_shares():
    with interrupted():
        async with atomic():
            await Author.objects.acreate(name="Ada")
            child = asyncio.create_task(run_sync(sleep_in_server, FOREVER))
            await until_asleep()
            assert await cancelled(child)

    assert await Author.objects.acount() == 0


@pytest.mark.timeout(120)
async def test_block_cancelled_at_any_point_is_all_there_or_not_there():
    randomness = random.Random(3)
    for number in range(150):

        async def block(number=number):
            async with atomic():
                await Author.objects.acreate(name=f"{number}")
                await Author.objects.acreate(name=f"{number}")

        task = asyncio.create_task(block())
        await asyncio.sleep(randomness.random() * 0.008)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await Author.objects.filter(name=f"{number}").acount() in {0, 2}


async def test_cancellation_during_the_commit_is_delivered_after_it():
    async def block():
        async with atomic():
            await Author.objects.acreate(name="Ada")
            await on_commit(lambda: seen.append("hook"))
            await run_sync(defer_slow_commit)

    def defer_slow_commit():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$"
            )
            cursor.execute(
                "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON testapp_tag "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()"
            )
            cursor.execute("INSERT INTO testapp_tag (name) VALUES ('slow')")

    def drop():
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS slow ON testapp_tag")

    seen = []
    task = asyncio.create_task(block())
    await until_asleep()
    try:
        assert await cancelled(task)
        assert await Author.objects.acount() == 1
        assert seen == ["hook"]
    finally:
        await run_sync(drop)


async def test_wait_for_times_out_and_leaves_the_pool_whole():
    for _ in range(10):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run_sync(sleep_in_server, FOREVER), 0.02)

    stats = get_pool("default").stats()
    assert stats.idle == stats.size


async def test_cancellations_that_come_while_a_statement_is_being_ended_change_nothing(full_pool):
    made = pool_stats().connections_made
    for _ in range(5):
        task = asyncio.create_task(run_sync(sleep_in_server, FOREVER))
        await until_asleep()

        while not task.done():
            task.cancel()
            await asyncio.sleep(0)

        assert task.cancelled()
        await until_nobody_sleeps()
    assert pool_stats().connections_made == made


async def test_a_cancel_scope_of_anyio_ends_a_statement_and_a_block(full_pool):
    # It cancels a task once more in each round of the loop, until the task has ended.
    made = pool_stats().connections_made
    for seconds in (0.01, 0.1):
        with anyio.move_on_after(seconds) as scope:
            async with atomic():
                await Author.objects.acreate(name="rolled back")
                await run_sync(sleep_in_server, FOREVER)

        assert scope.cancelled_caught
        await until_nobody_sleeps()
        assert await Author.objects.acount() == 0
    assert pool_stats().connections_made == made


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(3))
async def test_random_cancel_scopes_lose_nothing(seed):
    await Author.objects.abulk_create([Author(name="Ada", age=500), Author(name="Bob", age=500)])
    randomness = random.Random(seed)
    ended = []

    async def one():
        with anyio.move_on_after(randomness.random() ** 2 * 0.02) as scope:
            await randomness.choice(WORK)()
        ended.append(scope.cancelled_caught)

    for _ in range(15):
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(one)

    assert len(ended) == 180
    assert True in ended
    await assert_at_rest("default")
    assert await Author.objects.aaggregate(total=Sum("age")) == {"total": 1000}


async def test_a_scope_knows_its_cancellation_though_another_came_before(full_pool):
    # What is raised once the statement has ended stands for both.
    with anyio.CancelScope() as scope:
        task = asyncio.current_task()

        async def cancel_twice():
            await until_asleep()
            task.cancel()
            await asyncio.sleep(0)
            scope.cancel()

        other = asyncio.create_task(cancel_twice())
        try:
            await run_sync(sleep_in_server, FOREVER)
        except asyncio.CancelledError as error:
            raised = error
            if hasattr(task, "uncancel"):
                task.uncancel()
            raise
    await other
    messages = [str(raised), str(raised.__context__)]
    assert [message.startswith("Cancelled via cancel scope") for message in messages] == [
        True,
        False,
    ]
    assert scope.cancelled_caught


@pytest.mark.needs_thread("a synchronous caller has its own")
@pytest.mark.usefixtures("no_connection_of_asgirefs_thread")
@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_during_the_commit_in_a_callers_thread_comes_out_at_the_block(fails):
    places = []

    async def called():
        task = asyncio.current_task()
        with contextlib.suppress(asyncio.CancelledError):
            try:
                async with atomic():
                    await Author.objects.acreate(name="Ada")
                    await run_sync(defer_wait, fails)
                    cancelling = asyncio.create_task(cancel_once_locked(task))
            except asyncio.CancelledError as error:
                places.append(type(error.__cause__))
                raise
        await cancelling
        places.append(await Author.objects.acount())

    async def cancel_once_locked(task):
        await until_locked()
        task.cancel()
        await asyncio.sleep(0)
        holder.execute("SELECT pg_advisory_unlock(7)")

    with connect("default") as holder:
        holder.execute(
            "CREATE OR REPLACE FUNCTION wait_for_7() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN PERFORM pg_advisory_xact_lock(7); "
            "IF NEW.name = 'fails' THEN RAISE unique_violation; END IF; RETURN NULL; END $$;"
            "CREATE CONSTRAINT TRIGGER wait_for_7 AFTER INSERT ON testapp_tag "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_7()"
        )
        try:
            holder.execute("SELECT pg_advisory_lock(7)")
            await asyncio.wait_for(sync_to_async(async_to_sync(called))(), 30)
        finally:
            holder.execute("DROP TRIGGER wait_for_7 ON testapp_tag; DROP FUNCTION wait_for_7()")
    assert places == ([IntegrityError, 0] if fails else [type(None), 1])


def defer_wait(fails):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO testapp_tag (name) VALUES (%s)", ["fails" if fails else "ok"])
