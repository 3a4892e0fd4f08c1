"""Blocks on a caller's connection that are closed early, dropped, or cancelled while they wait."""

import asyncio
import contextlib
import gc

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.transaction import TransactionManagementError

from tests.integration.test_guests_of_callers import in_own_thread
from tests.testapp.models import Author
from tests.waiting import PATIENCE, until
from turbo_orm import atomic, portal
from turbo_orm.callers import current_caller

pytestmark = [
    pytest.mark.needs_thread("what is tested"),
    pytest.mark.usefixtures("no_connection_of_asgirefs_thread"),
]


def create(name):
    Author.objects.create(name=name)


async def acreate(name):
    await Author.objects.acreate(name=name)


def names():
    return sorted(Author.objects.values_list("name", flat=True))


def after(function):
    """Return the rows that are left of a function's, called in a thread of its own."""

    def call():
        function()
        return names()

    found = in_own_thread(call)
    Author.objects.all().delete()
    return found


# Each twice, for Django and awaited.


def rows():
    with transaction.atomic():
        create("in the generator")
        yield 1


async def arows():
    async with atomic():
        await acreate("in the generator")
        yield 1


def break_out():
    for _ in rows():
        break


async def abreak_out():
    async for _ in arows():
        break


def close():
    with contextlib.closing(rows()) as generator:
        next(generator)


async def aclose():
    async with contextlib.aclosing(arows()) as generator:
        await anext(generator)


def collect():
    generator = rows()
    next(generator)
    cycle = [generator]
    cycle.append(cycle)
    del generator, cycle
    gc.collect()


async def acollect():
    generator = arows()
    await anext(generator)
    cycle = [generator]
    cycle.append(cycle)
    del generator, cycle
    gc.collect()


def read_all():
    assert list(rows()) == [1]


async def aread_all():
    assert [row async for row in arows()] == [1]


ENDS = [(break_out, abreak_out), (close, aclose), (collect, acollect), (read_all, aread_all)]


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize(("end", "aend"), ENDS)
def test_a_generator_s_block_at_a_caller_ends_with_it_as_in_django(end, aend, outer):
    def plain():
        with transaction.atomic() if outer else contextlib.nullcontext():
            create("before")
            end()
            create("after")

    async def awaited():
        async with atomic() if outer else contextlib.nullcontext():
            await acreate("before")
            await aend()
            await acreate("after")
        caller = current_caller()
        assert caller is not None
        await until(lambda: not caller.blocks)

    assert after(async_to_sync(awaited)) == after(plain)


def test_a_block_whose_task_is_cancelled_while_it_waits_to_leave_it_is_left():
    async def work():
        entered, go = asyncio.Event(), asyncio.Event()

        async def inside():
            with transaction.atomic():
                create("child")
                entered.set()
                await go.wait()

        async def child():
            await portal(inside())

        async def parent():
            async with atomic():
                await acreate("parent")
                children.append(asyncio.create_task(child()))
                await entered.wait()

        children = []
        task = asyncio.create_task(parent())
        caller = current_caller()
        assert caller is not None
        await until(lambda: caller.waiting)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await children[0]
        assert not caller.blocks
        await asyncio.wait_for(acreate("later"), PATIENCE)

    assert after(async_to_sync(work)) == ["child", "later", "parent"]


def test_a_block_that_is_left_twice_says_so():
    async def work():
        block = atomic()
        async with block:
            await acreate("kept")
        with pytest.raises(TransactionManagementError):
            await block.__aexit__(None, None, None)

    assert after(async_to_sync(work)) == ["kept"]
