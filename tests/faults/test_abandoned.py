"""Work that nobody finishes: coroutines closed while they wait, objects kept for too long."""

import asyncio
import gc
import logging

import pytest
from django.db import connections, transaction
from django.db.utils import InterfaceError

from tests.testapp.models import Author
from tests.waiting import until, until_now
from turbo_orm import atomic, pool_stats, portal, run_sync

# The session that counts them is the one that has them: the pool's only one, or the block's.
CURSORS = "SELECT count(*) FROM pg_cursors WHERE name <> ''"
SLOW = "SELECT 1 FROM (SELECT pg_sleep(0.3)) AS slept"


@pytest.fixture(autouse=True)
def unkept_log(monkeypatch):
    """Keep pytest from keeping log records: through its arguments one holds a connection open."""
    monkeypatch.setattr(logging.getLogger("psycopg.pool"), "disabled", True)


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def all_back(alias="default"):
    """Wait until every connection of a pool is back."""
    await until(lambda: not pool_stats(alias).in_use, told=lambda: pool_stats(alias))


async def names(name):
    """Count the authors of a name."""
    return await Author.objects.filter(name=name).acount()


async def close_at_every_wait(make_coroutine):
    """Drive a coroutine to its first wait, its second, and so on, and close it there each time."""
    waits = 0
    while True:
        coroutine = make_coroutine()
        for _ in range(waits):
            try:
                awaited = coroutine.send(None)
            except StopIteration:
                return waits
            await settled(awaited)
        coroutine.close()
        del coroutine
        gc.collect()
        await all_back()
        waits += 1


async def settled(future):
    """Wait for what a coroutine yielded, as its task would, without taking its result."""
    if future is None:
        await asyncio.sleep(0)
        return
    future._asyncio_future_blocking = False
    await asyncio.wait({future})


async def query():
    """One query outside a transaction."""
    await run_sync(one, "SELECT 1")


async def asynchronous_block():
    """Writes in blocks, one in the other."""
    async with atomic():
        await Author.objects.acreate(name="outer")
        async with atomic():
            await Author.objects.acreate(name="inner")


async def synchronous_block():
    """The same from synchronous code."""

    def write():
        with transaction.atomic():
            Author.objects.create(name="outer")
            with transaction.atomic():
                Author.objects.create(name="inner")

    await run_sync(write)


async def block_in_portal():
    """A synchronous block in a coroutine."""

    async def view():
        with transaction.atomic():
            Author.objects.create(name="outer")
            await asyncio.sleep(0)
            await Author.objects.acreate(name="inner")

    await portal(view())


async def stream():
    """Rows from a server-side cursor, two at a time."""
    async for author in Author.objects.aiterator(chunk_size=2):
        assert author.age == 7


async def stream_in_block():
    """The same inside a transaction."""
    async with atomic():
        async for author in Author.objects.aiterator(chunk_size=2):
            await Author.objects.filter(pk=author.pk).aupdate(age=7)


WORK = [query, asynchronous_block, synchronous_block, block_in_portal, stream, stream_in_block]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
async def test_closed_at_any_wait_it_leaves_nothing_behind(work):
    await Author.objects.abulk_create(Author(name="a", age=7) for _ in range(5))
    await run_sync(one, "SELECT 1")

    assert await close_at_every_wait(work) > 0

    # Closed while it waits for its COMMIT, a block may be there; half a block may not.
    assert await names("inner") == await names("outer")
    writes = work in {asynchronous_block, synchronous_block, block_in_portal}
    assert (await names("outer") >= 1) == writes


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_a_loop_that_ends_with_it_pending_ends_cleanly(work, run):
    async def main():
        await run_sync(one, "SELECT 1")
        before = await run_sync(one, "SELECT pg_backend_pid()")
        running = [asyncio.create_task(work()) for _ in range(6)]
        for _ in range(3):
            await asyncio.sleep(0.001)
        assert len(running) == 6
        return before

    pid = run(main())

    gc.collect()
    until_now(lambda: one(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}") == 0)


async def test_a_task_that_ends_inside_a_block_is_rolled_back(caplog):
    block = atomic()

    async def forgetful():
        await block.__aenter__()
        await Author.objects.acreate(name="gone")

    await asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    await all_back()

    assert await Author.objects.acount() == 0
    assert "A task ended inside an atomic block of 'default'" in caplog.text


async def test_a_stream_that_is_dropped_gives_its_connection_back(make_alias):
    await Author.objects.abulk_create(Author(name="a") for _ in range(5))
    alias = make_alias(pool={"max_size": 1, "timeout": 5})
    async for _ in Author.objects.using(alias).aiterator(chunk_size=2):
        assert pool_stats(alias).in_use == 1
        break
    gc.collect()
    await all_back(alias)
    assert await run_sync(one, "SELECT 1", alias) == 1


async def test_a_cursor_kept_beyond_its_operation_is_refused():
    def open_cursor():
        cursor = connections["default"].cursor()
        cursor.execute("SELECT 1")
        return cursor

    cursor = await run_sync(open_cursor)
    with pytest.raises(InterfaceError, match="has gone back to the pool.*run_sync"):
        await run_sync(cursor.execute, "SELECT 2")


async def test_a_connection_kept_beyond_its_operation_is_refused():
    connection = await run_sync(lambda: connections["default"])
    with pytest.raises(InterfaceError, match="belonged to an operation that has ended.*run_sync"):
        await run_sync(connection.cursor)


async def test_a_connection_kept_beyond_its_block_is_refused():
    async with atomic():
        connection = await run_sync(lambda: connections["default"])
        await run_sync(connection.ensure_connection)
        assert await Author.objects.acount() == 0
    with pytest.raises(InterfaceError, match="belonged to an operation that has ended"):
        await run_sync(connection.cursor)


async def test_a_generator_left_open_by_run_sync_holds_no_connection(make_alias):
    await Author.objects.abulk_create(Author(name="a") for _ in range(5))
    alias = make_alias(pool={"max_size": 1, "timeout": 5})

    def begin():
        rows = Author.objects.using(alias).iterator(chunk_size=2)
        return next(rows), rows

    first, rows = await run_sync(begin)
    await all_back(alias)
    assert first.name == "a"
    assert await run_sync(one, "SELECT 1", alias) == 1

    with pytest.raises(InterfaceError):
        await run_sync(list, rows)
    assert await run_sync(one, "SELECT 1", alias) == 1


async def test_a_generator_left_open_and_collected_raises_nothing(make_alias):
    await Author.objects.abulk_create(Author(name="a") for _ in range(5))
    alias = make_alias(pool={"max_size": 1, "timeout": 5})

    def begin():
        rows = Author.objects.using(alias).iterator(chunk_size=2)
        next(rows)
        return rows

    rows = await run_sync(begin)
    del rows
    gc.collect()
    assert await run_sync(one, "SELECT 1", alias) == 1


async def test_a_generator_collected_outside_the_bridge_leaves_its_cursor_to_its_block():
    await Author.objects.abulk_create(Author(name="a") for _ in range(5))
    kept = []

    def begin():
        kept.append(Author.objects.iterator(chunk_size=2))
        next(kept[0])

    async with atomic():
        await run_sync(begin)
        kept.clear()
        gc.collect()
        assert await run_sync(one, CURSORS) == 1
        assert await Author.objects.acount() == 5
    assert await run_sync(one, CURSORS) == 0


async def test_a_generator_collected_while_its_portal_waits_raises_nothing(make_alias):
    await Author.objects.abulk_create(Author(name="a") for _ in range(5))
    alias = make_alias(pool={"max_size": 1, "timeout": 5})
    kept = []

    async def view():
        kept.append(Author.objects.using(alias).iterator(chunk_size=2))
        next(kept[0])
        asyncio.get_running_loop().call_soon(kept.clear)
        while kept:
            await asyncio.sleep(0)
        gc.collect()
        return Author.objects.using(alias).count()

    assert await portal(view()) == 5
    assert await run_sync(one, CURSORS, alias) == 0


@pytest.mark.parametrize("steps", range(5))
async def test_a_stream_cancelled_while_it_is_closed_leaves_no_cursor(steps, make_alias):
    await Author.objects.abulk_create(Author(name="a") for _ in range(5))
    alias = make_alias(pool={"max_size": 1, "timeout": 5})
    rows = Author.objects.using(alias).aiterator(chunk_size=2)
    await anext(rows)

    closing = asyncio.create_task(rows.aclose())
    for _ in range(steps):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    await rows.aclose()

    gc.collect()
    assert await run_sync(one, CURSORS, alias) == 0
