"""Blocks of generators that are closed or dropped: as in synchronous Django, whoever goes on."""

import asyncio
import contextlib
import functools
import gc
import sys

import psycopg
import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from tests.closing import (
    abreak_out,
    aclose,
    acreate,
    afail,
    anames,
    arows,
    arun_out,
    break_out,
    close,
    create,
    fail,
    rows,
    run_out,
)
from tests.invariant import assert_at_rest
from tests.places import PLACES, in_portal, in_run_sync, outside
from tests.testapp.models import Author
from tests.waiting import FOREVER, PATIENCE, until
from turbo_orm import atomic, pool_stats, run_sync
from turbo_orm.generators import generators_around

# More generators, each twice: for Django, and awaited.


@contextlib.contextmanager
def block():
    with transaction.atomic():
        yield


@contextlib.asynccontextmanager
async def ablock():
    async with atomic():
        yield


def managed():
    with block(), transaction.atomic():
        create("in the generator")
        yield 1


async def amanaged():
    async with ablock(), atomic():
        await acreate("in the generator")
        yield 1


def delegating():
    for row in rows():
        with transaction.atomic():
            create("between them")
            yield row


async def adelegating():
    async for row in arows():
        async with atomic():
            await acreate("between them")
            yield row


def stacked():
    with contextlib.ExitStack() as stack:
        stack.enter_context(transaction.atomic())
        create("in the generator")
        yield 1


async def astacked():
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(atomic())
        await acreate("in the generator")
        yield 1


GENERATORS = [(rows, arows), (managed, amanaged), (delegating, adelegating), (stacked, astacked)]


ENDS = [(break_out, abreak_out), (close, aclose), (fail, afail), (run_out, arun_out)]


def plain(generator, end, outer):
    """Return the rows that Django leaves, in a thread."""
    try:
        with contextlib.ExitStack() as stack:
            if outer:
                stack.enter_context(transaction.atomic())
            create("before")
            end(generator)
            create("at once")
        return sorted(Author.objects.values_list("name", flat=True))
    finally:
        Author.objects.all().delete()
        connection.close()


async def awaited(generator, end, outer):
    async with contextlib.AsyncExitStack() as stack:
        if outer:
            await stack.enter_async_context(atomic())
        await acreate("before")
        await end(generator)
        await acreate("at once")


CASES = [(end, outer) for end in ENDS for outer in (True, False)]


@functools.cache
def expected(generator):
    """Return the rows that Django leaves in each case."""
    return [plain(generator, end, outer) for (end, _), outer in CASES]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("generator", GENERATORS, ids=lambda pair: pair[0].__name__)
@pytest.mark.needs_thread("Django itself is asked there")
async def test_a_generator_s_block_ends_with_it_as_in_django(generator, place, serve):
    judged = await asyncio.to_thread(expected, generator[0])
    found = []

    for (_, end), outer in CASES:
        await place(awaited(generator[1], end, outer), serve)
        found.append(await anames())
        await Author.objects.all().adelete()

    assert found == judged
    assert all({"before", "at once"} <= set(rows) for rows in judged)


async def test_a_dropped_generator_s_block_keeps_its_connection():
    pid = await run_sync(connection_pid)
    for _ in range(3):
        await abreak_out(arows)
        await assert_at_rest("default", fill=False)
    assert pid in {await run_sync(connection_pid) for _ in range(pool_stats().size)}


def connection_pid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("place", [outside, in_portal])
async def test_a_block_left_before_the_generator_in_it_is_rolled_back_with_an_error(place, serve):
    async def work():
        async with atomic():
            await acreate("before")
            opened = arows()
            await anext(opened)
            kept.append(opened)

    kept = []
    with pytest.raises(TransactionManagementError, match=r"still open.*aclosing"):
        await place(work(), serve)
    await acreate("after")
    await kept.pop().aclose()

    assert await anames() == ["after"]


async def test_a_block_opened_after_the_generator_s_is_not_undone_by_it_without_an_error():
    with pytest.raises(TransactionManagementError, match="still open"):
        async with atomic():
            await acreate("before")
            opened = arows()
            await anext(opened)
            async with atomic():
                await acreate("in another")
                await opened.aclose()
            await acreate("elsewhere")

    assert await anames() == []


async def test_nothing_is_committed_elsewhere_after_a_block_was_given_up():
    seen = []
    with pytest.raises(TransactionManagementError, match="still open"):
        async with atomic():
            opened = arows()
            await anext(opened)
            async with atomic():
                await opened.aclose()
                for _ in range(2):
                    with pytest.raises(TransactionManagementError, match="still open") as raised:
                        await acreate("elsewhere")
                    seen.append(raised.value)

    assert (len(seen), await anames()) == (2, [])


async def test_the_rest_of_a_dropped_generator_writes_nothing():
    async def tidy():
        async with atomic():
            try:
                yield
            finally:
                try:
                    await acreate("by the rest")
                except TransactionManagementError as error:
                    seen.append(str(error))
                ended.set()

    seen, ended = [], asyncio.Event()
    await abreak_out(tidy)
    await asyncio.wait_for(ended.wait(), FOREVER)

    assert await anames() == []
    assert "has ended" in seen[0]


async def test_a_generator_that_the_garbage_collector_finds_ends_its_block():
    opened = arows()
    await anext(opened)
    # It is found only there.
    circle = [opened]
    circle.append(circle)
    del opened, circle
    gc.collect()
    await until(lambda: not pool_stats().in_use, told=pool_stats)

    assert await anames() == []


class Collecting:
    """A parameter of which the adaptation, in the middle of a statement, collects garbage."""


class CollectingDumper(psycopg.adapt.Dumper):
    def dump(self, value):
        gc.collect()
        return b"1"


def execute_and_collect():
    with connection.cursor() as cursor:
        cursor.cursor.adapters.register_dumper(Collecting, CollectingDumper)
        cursor.execute("SELECT %s", [Collecting()])


@pytest.mark.parametrize(
    ("place", "goes_on"), [(outside, True), (in_portal, False), (in_run_sync, False)]
)
async def test_a_generator_collected_in_the_middle_of_a_statement_stops_nothing(
    place, goes_on, serve
):
    async def work():
        async with atomic():
            await acreate("before")
            opened = arows()
            await anext(opened)
            circle = [opened]
            circle.append(circle)
            del opened, circle
            await run_sync(execute_and_collect)
            await acreate("after")

    # A job keeps its turn to its end: there the outer block ends before the generator's can.
    refused = pytest.raises(TransactionManagementError, match="still open")
    with contextlib.nullcontext() if goes_on else refused:
        await asyncio.wait_for(place(work(), serve), PATIENCE)
    assert await anames() == (["after", "before"] if goes_on else [])


async def test_another_task_that_uses_the_block_waits_for_the_end_of_the_closed_one():
    async def count():
        return await Author.objects.acount()

    async with atomic():
        await acreate("before")
        opened = arows()
        await anext(opened)
        counting = [asyncio.create_task(count()) for _ in range(3)]
        await asyncio.sleep(0)
        await opened.aclose()
        assert await count() == 1
        assert set(await asyncio.gather(*counting)) <= {1, 2}

    assert await anames() == ["before"]


def test_a_loop_that_ends_closes_the_blocks_of_its_generators(run):
    async def main():
        kept.append(arows())
        await anext(kept[0])
        kept.append(amanaged())
        await anext(kept[1])

    kept = []
    run(main())
    gc.collect()

    assert Author.objects.count() == 0


async def test_a_plain_coroutine_is_in_no_generator():
    assert generators_around(sys._getframe()) == []
