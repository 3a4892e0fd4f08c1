"""Pools: opening, sizes, figures, waiting, closing."""

import asyncio
import dataclasses
import gc
import re
import weakref

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import InterfaceError, OperationalError

from tests.testapp.models import Author
from tests.waiting import FOREVER, until
from turbo_orm import PoolStats, close_pools, open_pools, pool_stats, run_sync
from turbo_orm.pool import get_pool


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def sleep_in_database(alias, seconds):
    return one(f"SELECT 1 FROM (SELECT pg_sleep({seconds})) AS slept", alias)


async def sizes_of(alias):
    stats = pool_stats(alias)
    return stats.min_size, stats.max_size


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        (None, (2, 10)),
        (True, (2, 10)),
        ({}, (2, 10)),
        ({"max_size": 1}, (1, 1)),
        ({"max_size": 5}, (2, 5)),
        ({"min_size": 20}, (20, 20)),
        ({"min_size": 0}, (0, 10)),
        ({"min_size": 3, "max_size": 4}, (3, 4)),
    ],
)
async def test_sizes_come_from_the_options(make_alias, given, sizes):
    alias = make_alias(options={} if given is None else {"pool": given})
    assert await sizes_of(alias) == sizes


async def test_the_setting_of_turbo_orm_wins_over_the_options(make_alias):
    alias = make_alias(options={"pool": {"max_size": 7}}, pool={"min_size": 1, "max_size": 3})
    assert await sizes_of(alias) == (1, 3)


async def test_options_that_are_no_dictionary_are_refused(make_alias):
    alias = make_alias(options={"pool": "large"})
    with pytest.raises(ImproperlyConfigured, match=r"'pool'\] is 'large'.*dictionary"):
        await run_sync(one, "SELECT 1", alias)


@pytest.mark.parametrize(
    "options", [{"max_sise": 3}, {"min_size": 3, "max_size": 2}, {"max_size": "many"}]
)
async def test_options_that_no_pool_can_have_are_refused(make_alias, options):
    alias = make_alias(options={"pool": options})
    with pytest.raises(ImproperlyConfigured, match=f"{alias}.*pool"):
        await run_sync(one, "SELECT 1", alias)


async def test_a_pool_opens_with_its_first_use(make_alias):
    alias = make_alias(pool={"max_size": 1})
    nothing = PoolStats(
        alias=alias,
        min_size=1,
        max_size=1,
        size=0,
        idle=0,
        in_use=0,
        waiting=0,
        requests=0,
        requests_queued=0,
        requests_errors=0,
        connections_made=0,
        connections_lost=0,
    )
    assert pool_stats(alias) == nothing

    await run_sync(one, "SELECT 1", alias)

    assert pool_stats(alias) == dataclasses.replace(
        nothing, size=1, idle=1, requests=1, requests_queued=1, connections_made=1
    )


async def test_statistics_cannot_be_changed_and_need_a_loop():
    stats = pool_stats()
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.size = 5


def test_statistics_without_a_loop_are_refused():
    with pytest.raises(RuntimeError, match="no running event loop"):
        pool_stats()


async def test_statistics_show_what_is_in_use_and_who_waits(make_alias):
    alias = make_alias(pool={"min_size": 2, "max_size": 2})
    await open_pools(alias)
    await until(lambda: pool_stats(alias).idle == 2)

    held = [await get_pool(alias).lend() for _ in range(2)]
    waiting = asyncio.create_task(run_sync(one, "SELECT 1", alias))
    await until(lambda: pool_stats(alias).waiting == 1)
    stats = pool_stats(alias)
    for lent in held:
        get_pool(alias).take_back(lent)
    await waiting

    assert (stats.size, stats.idle, stats.in_use, stats.waiting) == (2, 0, 2, 1)
    stats = pool_stats(alias)
    assert (stats.size, stats.idle, stats.in_use, stats.waiting) == (2, 2, 0, 0)


async def held_pool(how, alias):
    """Return the only connection of a pool whose requests time out, if that is how they end."""
    await open_pools(alias)
    held = await get_pool(alias).lend()
    if how == "timed out":
        get_pool(alias)._pool.timeout = 0.05
    return held


async def given_up(operation, how):
    """Let an operation that waits for a connection end without one."""
    if how == "cancelled":
        operation.cancel()
    await asyncio.wait({operation})
    assert operation.cancelled() or isinstance(operation.exception(), OperationalError)


@pytest.mark.parametrize("how", ["timed out", "cancelled"])
async def test_who_was_given_up_waits_no_more(make_alias, at_rest, how):
    alias = make_alias(pool={"min_size": 1, "max_size": 1, "timeout": FOREVER})
    held = await held_pool(how, alias)
    before = pool_stats(alias)

    waiting = [asyncio.create_task(run_sync(one, "SELECT 1", alias)) for _ in range(3)]
    if how == "cancelled":
        await until(lambda: pool_stats(alias).waiting == 3)
    for operation in waiting:
        await given_up(operation, how)

    assert pool_stats(alias) == dataclasses.replace(
        before,
        waiting=0,
        requests=before.requests + 3,
        requests_queued=before.requests_queued + 3,
        requests_errors=before.requests_errors + 3,
    )
    get_pool(alias).take_back(held)


@pytest.mark.parametrize("how", ["timed out", "cancelled"])
async def test_who_was_given_up_has_no_place_in_the_queue(make_alias, at_rest, how):
    alias = make_alias(pool={"max_size": 1, "max_waiting": 1, "timeout": FOREVER})
    held = await held_pool(how, alias)
    gone = asyncio.create_task(run_sync(one, "SELECT 1", alias))
    await until(lambda: gone.done() or pool_stats(alias).waiting == 1)
    await given_up(gone, how)
    # Where a cancelled request runs in a task of its own, it leaves the queue when that ends.
    await until(lambda: not get_pool(alias)._pool._waiting)

    patient = asyncio.create_task(run_sync(one, "SELECT 2", alias))
    if how == "cancelled":
        await until(lambda: pool_stats(alias).waiting == 1)
        get_pool(alias).take_back(held)
        assert await patient == 2
    else:
        with pytest.raises(OperationalError, match=r"No connection came within 0\.05 s"):
            await patient
        get_pool(alias).take_back(held)


@pytest.mark.parametrize("how", ["timed out", "cancelled"])
async def test_who_was_given_up_keeps_nothing_until_garbage_is_collected(make_alias, at_rest, how):
    class Kept:
        """What the code that waits has, for instance an open stream."""

    async def wait():
        kept = Kept()
        known.append(weakref.ref(kept))
        await Author.objects.using(alias).acount()

    alias = make_alias(pool={"min_size": 1, "max_size": 1, "timeout": FOREVER})
    held = await held_pool(how, alias)
    known = []
    gc.disable()
    try:
        waiting = {asyncio.create_task(wait())}
        await until(lambda: pool_stats(alias).waiting or all(each.done() for each in waiting))
        await given_up(waiting.pop(), how)
        await until(lambda: known[0]() is None)
    finally:
        gc.enable()
    get_pool(alias).take_back(held)


async def test_a_request_that_is_given_up_before_the_first_connection_waits_no_more(
    make_alias, at_rest, monkeypatch
):
    alias = make_alias(pool={"max_size": 1, "timeout": FOREVER})
    pool, never = get_pool(alias), asyncio.Event()
    connect = pool.connect

    async def slow():
        await never.wait()
        return await connect()

    monkeypatch.setattr(pool, "connect", slow)
    first = asyncio.create_task(pool.lend())
    await until(lambda: pool.stats().waiting == 1)
    await given_up(first, "cancelled")

    assert (pool.stats().waiting, pool.stats().requests_errors) == (0, 1)
    never.set()
    pool.take_back(await pool.lend())


async def test_an_exhausted_pool_gives_an_error_that_says_why(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 1})
    await open_pools(alias)
    held = await get_pool(alias).lend()

    results = await asyncio.gather(
        *(run_sync(one, "SELECT 1", alias) for _ in range(2)), return_exceptions=True
    )

    assert [type(result) for result in results] == [OperationalError] * 2
    assert re.match(
        rf"No connection came within 1 s from the pool of database '{alias}': "
        r"1 of at most 1 connections are in use and [01] more operations wait\.",
        str(results[0]),
    )
    get_pool(alias).take_back(held)
    assert await run_sync(one, "SELECT 1", alias) == 1


async def test_a_full_queue_is_refused_at_once(make_alias):
    alias = make_alias(pool={"max_size": 1, "max_waiting": 1, "timeout": 10})
    await open_pools(alias)
    held = await get_pool(alias).lend()
    waiting = asyncio.create_task(run_sync(one, "SELECT 2", alias))
    await until(lambda: pool_stats(alias).waiting == 1)

    with pytest.raises(OperationalError, match=rf"queue is full \(max_waiting\).*'{alias}'"):
        await run_sync(one, "SELECT 3", alias)

    get_pool(alias).take_back(held)
    assert await waiting == 2


async def test_who_came_first_is_served_first(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 10})
    await open_pools(alias)
    order = []

    async def client(number):
        order.append(await run_sync(one, f"SELECT {number} FROM (SELECT pg_sleep(0.01)) s", alias))

    await asyncio.gather(*(client(number) for number in range(8)))
    assert order == list(range(8))


async def test_a_slot_does_not_go_to_a_waiter_that_gave_up(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 10})
    await open_pools(alias)
    held = await get_pool(alias).lend()
    gone = asyncio.create_task(run_sync(one, "SELECT 1", alias))
    patient = asyncio.create_task(run_sync(one, "SELECT 2", alias))
    await until(lambda: pool_stats(alias).waiting == 2)

    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone

    get_pool(alias).take_back(held)
    assert await patient == 2


async def test_closed_pools_open_again_with_the_next_operation():
    first = await run_sync(one, "SELECT pg_backend_pid()")
    await close_pools()
    await close_pools()
    assert pool_stats().size == 0
    second = await run_sync(one, "SELECT pg_backend_pid()")
    assert first != second
    assert await Author.objects.acount() == 0


async def test_closing_ends_the_backends(make_alias):
    alias = make_alias(options={"application_name": "closing"}, pool={"min_size": 3, "max_size": 3})
    await open_pools(alias)
    await until(lambda: pool_stats(alias).idle == 3)
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closing'"
    assert await run_sync(one, count) == 3

    await close_pools()

    async def ended():
        return await run_sync(one, count) == 0

    await until(ended)


async def test_closing_lets_a_running_operation_end(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 10})
    await open_pools(alias)
    busy = asyncio.create_task(run_sync(sleep_in_database, alias, 2))
    await until(lambda: pool_stats(alias).in_use == 1)
    waiting = asyncio.create_task(run_sync(one, "SELECT 1", alias))
    await until(lambda: pool_stats(alias).waiting == 1)

    await close_pools()

    with pytest.raises(InterfaceError, match=f"pool of database '{alias}' is closed"):
        await waiting
    assert await busy == 1
    assert await run_sync(one, "SELECT 1", alias) == 1


async def test_a_connection_taken_back_in_a_transaction_is_rolled_back(caplog):
    pool = get_pool("default")
    connection = await pool.lend()
    await connection.execute("BEGIN")
    await connection.execute("INSERT INTO testapp_author (name, age) VALUES ('x', 1)")
    task = pool.take_back(connection)
    if task is not None:
        await task

    await until(lambda: pool_stats().in_use == 0)
    assert await Author.objects.acount() == 0
    assert "rolling back returned connection" in caplog.text


async def test_a_discarded_connection_is_replaced(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    pool = get_pool(alias)
    connection = await pool.lend()
    before = connection.info.backend_pid
    pool.discard(connection)
    assert await run_sync(one, "SELECT pg_backend_pid()", alias) != before
