"""The server goes away: killed backends, cut and frozen lines, refused connections, a restart."""

import asyncio
import contextlib
import gc

import psycopg
import psycopg_pool
import pytest
from django.db import connections
from django.db.utils import DatabaseError, InterfaceError, OperationalError

from tests.faults.proxy import Proxy
from tests.testapp.models import Author
from tests.waiting import FOREVER, until, until_asleep, until_nobody_sleeps
from turbo_orm import atomic, close_pools, open_pools, pool_stats, run_sync
from turbo_orm.pool import get_pool


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def answer(alias):
    """Return what a query gives, or the message of its error."""
    try:
        return await run_sync(one, "SELECT 1", alias)
    except (OperationalError, InterfaceError) as error:
        return str(error)


async def works(alias):
    """Query until it works; errors of the database are what may come before."""

    async def attempt():
        with contextlib.suppress(DatabaseError):
            return await run_sync(one, "SELECT 1", alias)

    return await until(attempt)


@pytest.fixture
async def proxy():
    async with Proxy() as proxy:
        yield proxy
        await close_pools()


async def test_a_backend_killed_in_a_query_fails_that_query_only(make_alias):
    alias = make_alias(pool={"max_size": 4, "min_size": 4})

    def numbered(number):
        return one(f"SELECT {number} FROM (SELECT pg_sleep(2)) AS query_{number}", alias)

    tasks = [asyncio.create_task(run_sync(numbered, number)) for number in range(4)]
    await until_asleep(4)
    killed = await run_sync(
        one,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE query LIKE '%query_2' AND pid <> pg_backend_pid() "
        "AND datname = current_database()",
    )
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert killed == 1
    assert [results[0], results[1], results[3]] == [0, 1, 3]
    assert isinstance(results[2], OperationalError)
    assert await asyncio.gather(*(run_sync(one, "SELECT 1", alias) for _ in range(8))) == [1] * 8


async def test_a_backend_killed_in_a_transaction_fails_its_block_and_nothing_is_kept(make_alias):
    alias = make_alias(pool={"max_size": 2})

    async def block():
        async with atomic(alias):
            await Author.objects.using(alias).acreate(name="gone")
            pid = await run_sync(one, "SELECT pg_backend_pid()", alias)
            await run_sync(one, f"SELECT pg_terminate_backend({pid})")
            await Author.objects.using(alias).acount()

    with pytest.raises((OperationalError, InterfaceError)):
        await block()
    assert await Author.objects.using(alias).acount() == 0
    await Author.objects.using(alias).acreate(name="kept")
    assert await Author.objects.acount() == 1


async def test_a_backend_killed_before_the_commit_makes_the_commit_fail(make_alias):
    alias = make_alias(pool={"max_size": 1})

    async def block():
        async with atomic(alias):
            await Author.objects.using(alias).acreate(name="gone")
            pid = await run_sync(one, "SELECT pg_backend_pid()", alias)
            await run_sync(one, f"SELECT pg_terminate_backend({pid})")

    with pytest.raises((OperationalError, InterfaceError)):
        await block()
    assert await Author.objects.acount() == 0
    assert await Author.objects.using(alias).acount() == 0


async def test_a_backend_killed_in_a_stream_fails_the_stream_only(make_alias):
    await Author.objects.abulk_create(Author(name=f"{number}") for number in range(20))
    alias = make_alias(pool={"max_size": 2})
    seen = []

    async def read():
        async for author in Author.objects.using(alias).order_by("pk").aiterator(chunk_size=5):
            seen.append(author.name)
            if len(seen) == 5:
                await run_sync(
                    one,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE query LIKE '%_django_curs_%' AND pid <> pg_backend_pid() "
                    "AND datname = current_database()",
                )

    with pytest.raises(OperationalError):
        await read()
    assert seen == [str(number) for number in range(5)]
    assert await Author.objects.using(alias).acount() == 20


async def test_idle_connections_cut_by_the_network_cost_one_error_each(make_alias, proxy):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 2, "min_size": 2})
    await open_pools(alias)
    await until(lambda: pool_stats(alias).idle == 2)

    await proxy.cut()

    results = []
    for _ in range(6):
        try:
            results.append(await run_sync(one, "SELECT 1", alias))
        except OperationalError:
            results.append("error")
    assert results.count("error") <= 2
    assert results[-1] == 1


async def test_with_health_checks_connections_cut_by_the_network_are_never_seen(make_alias, proxy):
    alias = make_alias(
        HOST="127.0.0.1", PORT=str(proxy.port), CONN_HEALTH_CHECKS=True, pool={"max_size": 2}
    )
    for _ in range(3):
        assert await run_sync(one, "SELECT 1", alias) == 1
        await proxy.cut()
    assert await run_sync(one, "SELECT 1", alias) == 1


async def test_it_recovers_after_the_server_was_away_for_a_while(make_alias, proxy):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 2, "timeout": 1})
    assert await works(alias) == 1
    await proxy.refuse()
    await proxy.cut()
    attempts = proxy.connections_made

    answers = [await answer(alias) for _ in range(3)]
    assert 1 not in answers
    assert "The last failure to connect was" in answers[-1]
    assert "refused" in answers[-1]
    assert proxy.connections_made == attempts

    await proxy.accept()
    assert await works(alias) == 1


async def test_an_exhausted_pool_does_not_name_a_failure_that_was_overcome(make_alias, proxy):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1, "timeout": 1})
    assert await works(alias) == 1
    await proxy.refuse()
    await proxy.cut()
    answers = [await answer(alias) for _ in range(2)]
    assert "The last failure to connect was" in answers[-1]
    await proxy.accept()
    assert await works(alias) == 1

    held = await get_pool(alias).lend()
    with pytest.raises(OperationalError, match="No connection came within") as caught:
        await run_sync(one, "SELECT 1", alias)

    assert "failure to connect" not in str(caught.value)
    assert isinstance(caught.value.__cause__, psycopg_pool.PoolTimeout)
    get_pool(alias).take_back(held)


@pytest.fixture
def hurried_psycopg(monkeypatch):
    """Let psycopg spend less on a cancellation than its two rounds of five seconds."""

    def bounded(function):
        async def wait(*args, timeout=None, **kwargs):
            timeout = timeout and min(timeout, 0.2)
            return await function(*args, timeout=timeout, **kwargs)

        return wait

    for name in ("wait_async", "wait_conn_async"):
        monkeypatch.setattr(psycopg.waiting, name, bounded(getattr(psycopg.waiting, name)))


async def test_a_query_on_a_frozen_line_can_be_cancelled(make_alias, proxy, hurried_psycopg):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1})
    assert await run_sync(one, "SELECT 1", alias) == 1
    proxy.freeze()
    task = asyncio.create_task(run_sync(one, "SELECT 1", alias))
    await until(lambda: proxy.pieces_held_up)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    proxy.thaw()
    assert await works(alias) == 1


async def test_a_second_cancellation_on_a_frozen_line_is_heeded_once_clean_up_takes_too_long(
    make_alias, proxy, settings_for, caplog
):
    settings_for(CLEANUP_TIMEOUT=0.3)
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1})
    assert await run_sync(one, "SELECT 1", alias) == 1
    proxy.freeze()
    task = asyncio.create_task(run_sync(one, "SELECT 1", alias))
    await until(lambda: proxy.pieces_held_up)

    while not task.done():
        task.cancel()
        await asyncio.sleep(0)

    assert task.cancelled()
    # What psycopg says at its own bound, of ten seconds.
    assert "query not terminated after cancellation" not in caplog.text
    proxy.thaw()
    assert await works(alias) == 1


async def test_a_second_cancellation_does_not_keep_the_server_from_hearing_of_the_first(
    make_alias, proxy
):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1})

    def sleep_in_pipeline():
        with connections[alias].cursor() as cursor:
            cursor.executemany("SELECT pg_sleep(%s)", [[FOREVER], [FOREVER]])

    task = asyncio.create_task(run_sync(sleep_in_pipeline))
    await until_asleep()
    proxy.freeze()
    task.cancel()
    # What is held up may be the rest of the pipeline: the request has a connection of its own.
    await until(lambda: proxy.connections_made == 2)

    task.cancel()
    await asyncio.wait({task})
    proxy.thaw()
    await until_nobody_sleeps()
    # psycopg 3.3 complains of a pipeline that it cannot end.
    assert task.cancelled() or isinstance(task.exception(), OperationalError)
    # What psycopg has given up may not fail once more when it is collected.
    del task
    gc.collect()


async def test_a_cancellation_that_overtakes_its_statement_is_repeated(make_alias, proxy):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1})
    backend = await run_sync(one, "SELECT pg_backend_pid()", alias)
    proxy.freeze_open()
    task = asyncio.create_task(run_sync(one, f"SELECT pg_sleep({FOREVER})", alias))
    await until(lambda: proxy.pieces_held_up)

    task.cancel()
    # The server is asked to cancel what it has not received yet.
    await until(lambda: proxy.connections_ended == 1)
    proxy.thaw()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await run_sync(one, "SELECT pg_backend_pid()", alias) == backend


async def test_a_commit_on_a_frozen_line_is_given_up_when_cancelled(
    make_alias, proxy, settings_for
):
    settings_for(CLEANUP_TIMEOUT=0.3)
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"max_size": 1})

    async def block():
        async with atomic(alias):
            await Author.objects.using(alias).acreate(name="unknown")
            proxy.freeze()

    task = asyncio.create_task(block())
    await until(lambda: proxy.pieces_held_up)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    proxy.thaw()
    assert await works(alias) == 1
    assert await Author.objects.acount() in (0, 1)


@pytest.fixture
def settings_for():
    """Give a function that changes keys of TURBO_ORM until the test ends."""
    from django.conf import settings
    from django.test.utils import override_settings

    overrides = []

    def change(**keys):
        override = override_settings(TURBO_ORM={**settings.TURBO_ORM, **keys})
        override.enable()
        overrides.append(override)

    yield change
    while overrides:
        overrides.pop().disable()


@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
async def test_timeouts_of_the_server_are_operational_errors(make_alias, setting):
    alias = make_alias(options={"options": f"-c {setting}=100"}, pool={"max_size": 1})
    author = await Author.objects.acreate(name="locked")
    async with atomic():
        await Author.objects.select_for_update().aget(pk=author.pk)
        with pytest.raises(OperationalError, match="timeout"):
            await Author.objects.using(alias).filter(pk=author.pk).aupdate(age=1)
    assert await Author.objects.using(alias).acount() == 1
