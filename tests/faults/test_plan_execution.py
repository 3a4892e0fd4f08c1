"""Planned statements, which need no greenlet: no connection lost, every error Django's."""

import asyncio
import logging
import random

import psycopg
import pytest
from django.db import connections
from django.db.models import Func, IntegerField
from django.db.utils import DataError, InterfaceError, OperationalError, ProgrammingError
from psycopg.errors import AdminShutdown, QueryCanceled
from psycopg_pool import PoolTimeout

from tests.faults.proxy import Proxy
from tests.faults.test_abandoned import close_at_every_wait
from tests.invariant import assert_at_rest
from tests.plans import direct_statements, like_django, state
from tests.testapp.models import Article, Author
from tests.waiting import FOREVER, until, until_asleep
from turbo_orm import atomic, clear_plans, close_pools, plan_stats, pool_stats, portal, run_sync
from turbo_orm.pool import get_pool


class Sleep(Func):
    """Takes as many milliseconds as its argument says, for each row that is found."""

    template = "(SELECT 1 FROM pg_sleep(%(expressions)s / 1000.0))"
    output_field = IntegerField()


# Django's own class: one of the project's would have no plan.
Sleep.__module__ = "django.db.models.functions.sleep"


def sleepers(milliseconds, alias="default"):
    """The row with this number, whose fetching takes so long."""
    return Author.objects.using(alias).annotate(slept=Sleep("age")).filter(age=milliseconds)


def one(sql, alias="default"):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def cancelled(task):
    """Cancel a task and say whether that was not swallowed."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


@pytest.fixture
async def ada():
    clear_plans()
    ada, *_ = await Author.objects.abulk_create(
        [Author(name="Ada", age=1), Author(name="Bob")]
        + [Author(name="sleeper", age=age) for age in (2, 2_000, FOREVER * 1000)]
    )
    await Article.objects.abulk_create(Article(title=f"{n}", author=ada, views=n) for n in range(9))
    return ada


@pytest.fixture
def direct(stack):
    """Count the statements that were executed without the bridge."""
    return stack.enter_context(direct_statements())


READS = (
    lambda n: Author.objects.aget(name="Ada", age__lt=n + 2),
    lambda n: Article.objects.select_related("author").filter(views__lt=n).alist(),
    lambda n: Article.objects.filter(views__lt=n)[1:5].alist(),
    lambda n: Article.objects.filter(views=n).acount(),
    lambda n: Author.objects.filter(articles__views=n).aexists(),
    lambda n: sleepers(2).alist(),
    lambda n: Author.objects.filter(pk=n).prefetch_related("articles").alist(),
    lambda n: Author.objects.filter(name="Bob").aupdate(age=n),
    lambda n: Author.objects.ain_bulk([n, n + 1]),
)


async def warm():
    for number in range(3):
        await asyncio.gather(*(read(number) for read in READS))


async def in_block(read, number):
    async with atomic():
        await read(number)
        await asyncio.gather(read(number), read(number))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(6))
async def test_random_cancellations_lose_and_swallow_nothing(seed, ada, direct):
    await warm()
    randomness = random.Random(seed)

    async def go():
        read, number = randomness.choice(READS), randomness.randrange(9)
        work = in_block(read, number) if randomness.random() < 0.2 else read(number)
        task = asyncio.ensure_future(work)
        await asyncio.sleep(randomness.random() * randomness.choice([0.001, 0.02]))
        delivered = task.cancel()
        for _ in range(randomness.choice([0, 0, 2])):
            await asyncio.sleep(randomness.choice([0, 0.001]))
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return False
        return delivered

    swallowed = [any(await asyncio.gather(*(go() for _ in range(12)))) for _ in range(20)]

    assert swallowed == [False] * 20
    assert len(direct) > 20
    await assert_at_rest("default")
    assert (await Author.objects.aget(pk=ada.pk)).age == 1


async def test_cancelled_statement_stops_on_the_server_and_its_connection_is_used_again(
    ada, direct, full_pool
):
    for _ in range(2):
        await sleepers(0).afirst()
    made = pool_stats().connections_made
    for _ in range(3):
        task = asyncio.create_task(sleepers(FOREVER * 1000).afirst())
        await until_asleep()

        assert await cancelled(task)

    assert pool_stats().connections_made == made


async def test_cancelled_while_waiting_for_a_connection_takes_none(ada):
    await Author.objects.filter(name="Ada").acount()
    pool = get_pool("default")
    held = [await pool.lend() for _ in range(4)]
    waiting = [asyncio.create_task(Author.objects.filter(name="Ada").acount()) for _ in range(20)]
    await until(lambda: pool_stats().waiting == 20)

    assert all([await cancelled(task) for task in waiting])

    for lent in held:
        pool.take_back(lent)
    assert await Author.objects.filter(name="Ada").acount() == 1


@pytest.mark.parametrize("read", READS[:5])
async def test_coroutine_closed_at_any_wait_gives_its_connection_back(read, ada, monkeypatch):
    # Through its arguments a log record would hold a connection open.
    monkeypatch.setattr(logging.getLogger("psycopg.pool"), "disabled", True)
    await warm()

    assert await close_at_every_wait(lambda: read(1)) >= 1


async def test_backend_killed_in_a_planned_statement_fails_that_statement_only(
    ada, make_alias, direct
):
    alias = make_alias(pool={"max_size": 4, "min_size": 4})
    for _ in range(2):
        await sleepers(0, alias).alist()
    ages = (2_000, FOREVER * 1000, 2_000, 2_000)
    tasks = [asyncio.create_task(sleepers(age, alias).alist()) for age in ages]
    await until_asleep(4)
    killed = await run_sync(
        one,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE query LIKE '%pg_sleep%600000%' AND pid <> pg_backend_pid() "
        "AND datname = current_database()",
    )
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert killed == 1
    assert [author.age for number in (0, 2, 3) for author in results[number]] == [2_000] * 3
    assert isinstance(results[1], OperationalError)
    assert isinstance(results[1].__cause__, AdminShutdown)
    assert len(direct) >= 4
    again = await asyncio.gather(*(sleepers(0, alias).alist() for _ in range(8)))
    assert [len(found) for found in again] == [1] * 8


async def test_line_cut_in_the_result_gives_the_rows_or_djangos_error(ada, make_alias):
    async with Proxy() as proxy:
        alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1})
        rows = Article.objects.using(alias).filter(views__lt=9).order_by("pk")
        for number in range(12):
            task = asyncio.create_task(rows.all().alist())
            await asyncio.sleep(number / 1000)
            await proxy.cut()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(result, list):
                assert [article.title for article in result] == [f"{n}" for n in range(9)]
            else:
                assert isinstance(result, OperationalError | InterfaceError)
                assert isinstance(result.__cause__, psycopg.Error)
        await close_pools()


async def test_pool_exhausted_is_djangos_error(ada, make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 1, "timeout": 1})
    authors = Author.objects.using(alias)
    for _ in range(2):
        await authors.filter(name="Ada").acount()
    held = await get_pool(alias).lend()

    results = await asyncio.gather(
        authors.filter(name="Ada").acount(),
        authors.filter(name="Ada").alist(),
        authors.aget(name="Ada"),
        return_exceptions=True,
    )

    assert [(type(e), type(e.__cause__)) for e in results] == [(OperationalError, PoolTimeout)] * 3
    get_pool(alias).take_back(held)
    assert await authors.filter(name="Ada").acount() == 1


async def test_statement_timeout_is_djangos_error_and_the_connection_stays(ada, make_alias):
    alias = make_alias(options={"options": "-c statement_timeout=200"}, pool={"max_size": 1})
    for _ in range(2):
        await sleepers(0, alias).alist()
    for _ in range(3):
        with pytest.raises(OperationalError) as raised:
            await sleepers(FOREVER * 1000, alias).alist()
        assert isinstance(raised.value.__cause__, QueryCanceled)
    assert await Author.objects.using(alias).filter(name="Ada").acount() == 1
    assert pool_stats(alias).connections_made == 1


async def test_errors_of_the_server_are_djangos_with_their_cause(ada):
    async def work(value):
        return await Author.objects.filter(name__regex=value).alist()

    assert await like_django(work, ["A", "(", "B", "["]) == 7
    with pytest.raises(DataError) as raised:
        await work("(")
    assert isinstance(raised.value.__cause__, psycopg.DataError)
    assert raised.value.__suppress_context__ is True


async def test_table_that_is_gone_is_djangos_error(ada):
    from tests.testapp.models import Place

    await Place.objects.filter(name="a").acount()

    def renamed(before, after):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"ALTER TABLE {before} RENAME TO {after}")

    await run_sync(renamed, "testapp_place", "gone")
    try:
        with pytest.raises(ProgrammingError, match="testapp_place"):
            await Place.objects.filter(name="a").acount()
    finally:
        await run_sync(renamed, "gone", "testapp_place")
    assert await Place.objects.filter(name="a").acount() == 0


async def test_error_in_a_block_dooms_it_as_in_django(ada, direct):
    async def work(pattern):
        async with atomic():
            await Author.objects.filter(name="Ada").aupdate(age=50)
            try:
                return await Author.objects.filter(name__regex=pattern).alist()
            except DataError:
                return await Author.objects.filter(name="Ada").acount()

    await like_django(work, ["A", "(", "A", "("])
    assert direct == []


async def test_block_sees_its_own_changes_and_others_do_not(ada, direct):
    async def age():
        return (await Author.objects.aget(pk=ada.pk)).age

    for number in range(10, 13):
        before = await age()
        done = len(direct)
        outside = asyncio.Event(), asyncio.Event()

        async def other(outside=outside):
            await outside[0].wait()
            seen = await age()
            outside[1].set()
            return seen

        sibling = asyncio.create_task(other())
        async with atomic():
            await Author.objects.filter(pk=ada.pk).aupdate(age=number)
            assert await age() == number
            assert await asyncio.gather(age(), age(), portal(age())) == [number] * 3
            outside[0].set()
            await outside[1].wait()
        assert await sibling == before
        assert await age() == number
        assert len(direct) == done + 2


async def test_task_that_outlives_its_block_is_refused(ada):
    await Author.objects.filter(name="Ada").acount()
    ended = asyncio.Event()

    async def late():
        await ended.wait()
        return await Author.objects.filter(name="Ada").acount()

    async with atomic():
        child = asyncio.create_task(late())
        await Author.objects.filter(name="Ada").acount()
    ended.set()
    with pytest.raises(Exception, match="ended"):
        await child


async def test_many_at_once_borrow_no_more_than_the_pool_has(ada, direct):
    await Author.objects.filter(age=1).acount()
    counts = await asyncio.gather(*(Author.objects.filter(age=n % 2).acount() for n in range(300)))

    assert counts == [1, 1] * 150
    assert len(direct) >= 299
    assert plan_stats().hits >= 299
    assert pool_stats().size <= 4


async def test_interrupted_hydration_gives_the_connection_back(ada, monkeypatch):
    def broken(*args, **kwargs):
        raise ArithmeticError

    await Article.objects.filter(views=1).alist()
    expected = state(await Article.objects.filter(views=1).alist())
    with monkeypatch.context() as patch:
        patch.setattr("turbo_orm.plan.run.hydrate", broken)
        with pytest.raises(ArithmeticError):
            await Article.objects.filter(views=1).alist()
    await assert_at_rest("default")
    assert state(await Article.objects.filter(views=1).alist()) == expected
