"""A limit on the connections of one piece of work."""

import asyncio

import pytest
from django.db import OperationalError, connection, connections

from tests.testapp.models import Tag
from tests.usage import most_in_use
from tests.waiting import FOREVER, until_asleep
from turbo_orm import ConnectionLimit, atomic, open_pools, run_sync


def backend(alias="default", seconds=0.1):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(%s)", [seconds])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("maximum", [1, 3])
async def test_so_many_connections_are_borrowed_at_once(maximum, full_pool, at_rest):
    with ConnectionLimit(maximum).apply():
        found, _ = await most_in_use(*(run_sync(backend) for _ in range(6)))

    assert found == maximum


async def test_planned_statements_are_counted_too(full_pool, at_rest):
    with ConnectionLimit(1).apply():
        found, _ = await most_in_use(*(Tag.objects.acount() for _ in range(50)))

    assert found == 1


async def test_outside_of_it_there_is_none(full_pool, at_rest):
    with ConnectionLimit(1).apply():
        pass

    found, _ = await most_in_use(*(run_sync(backend) for _ in range(4)))

    assert found == 4


async def test_each_database_has_its_own_count(at_rest):
    with ConnectionLimit(1).apply():
        await run_sync(lambda: (backend("default"), backend("other")))


async def test_a_transaction_has_one_connection_whoever_uses_it(at_rest):
    with ConnectionLimit(1).apply():
        async with atomic():
            await asyncio.gather(*(Tag.objects.acreate(name=f"tag{n}") for n in range(5)))

    assert await Tag.objects.acount() == 5


async def test_the_first_that_waits_is_the_first_that_is_served(at_rest):
    order = []

    async def work(number):
        await run_sync(backend, seconds=0.02)
        order.append(number)

    with ConnectionLimit(1).apply():
        await asyncio.gather(*(work(number) for number in range(5)))

    assert order == [0, 1, 2, 3, 4]


async def test_a_wait_ends_with_the_timeout_of_the_pool(make_alias, at_rest):
    alias = make_alias(pool={"min_size": 4, "max_size": 4, "timeout": 1})
    await open_pools(alias)

    with ConnectionLimit(1).apply():
        slow = asyncio.ensure_future(run_sync(backend, alias, FOREVER))
        await until_asleep()
        with pytest.raises(OperationalError, match="the 1 that this ConnectionLimit allows"):
            await run_sync(backend, alias)
        slow.cancel()
        await asyncio.wait({slow})
        await run_sync(backend, alias)


async def test_a_cancelled_wait_loses_no_place(at_rest):
    limit = ConnectionLimit(2)
    for step in range(100):
        with limit.apply():
            tasks = [asyncio.ensure_future(run_sync(backend, seconds=0.002)) for _ in range(5)]
        await asyncio.sleep(step * 0.0003)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    with limit.apply():
        assert len(set(await asyncio.gather(*(run_sync(backend) for _ in range(2))))) == 2
    assert limit._used["default"] == 0


async def test_a_connection_that_breaks_gives_its_place_back(at_rest):
    def kill():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with ConnectionLimit(1).apply():
        with pytest.raises(OperationalError):
            await run_sync(kill)
        await run_sync(backend)


def test_a_limit_of_none_is_refused():
    with pytest.raises(ValueError, match="would let nobody have a connection"):
        ConnectionLimit(0)
