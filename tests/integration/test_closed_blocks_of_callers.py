"""Blocks on a caller's connection that are closed early, dropped, or cancelled while they wait."""

import asyncio
import contextlib

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.transaction import TransactionManagementError

from tests.closing import (
    abreak_out,
    aclose,
    acollect,
    acreate,
    arows,
    arun_out,
    break_out,
    close,
    collect,
    create,
    rows,
    run_out,
)
from tests.faults import test_generators_across_tasks as across_tasks
from tests.integration.test_guests_of_callers import in_own_thread
from tests.testapp.models import Author
from tests.waiting import PATIENCE, until
from turbo_orm import atomic, portal
from turbo_orm.callers import current_caller

pytestmark = [
    pytest.mark.needs_thread("what is tested"),
    pytest.mark.usefixtures("no_connection_of_asgirefs_thread"),
]


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


ENDS = [(break_out, abreak_out), (close, aclose), (collect, acollect), (run_out, arun_out)]


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize(("end", "aend"), ENDS)
def test_a_generator_s_block_at_a_caller_ends_with_it_as_in_django(end, aend, outer):
    def plain():
        with transaction.atomic() if outer else contextlib.nullcontext():
            create("before")
            end(rows)
            create("after")

    async def awaited():
        async with atomic() if outer else contextlib.nullcontext():
            await acreate("before")
            await aend(arows)
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


@pytest.mark.parametrize("step", across_tasks.STEPS)
def test_every_step_of_a_generator_is_in_its_block_whichever_task_makes_it(step):
    async def work():
        assert await across_tasks.read(across_tasks.rows(), step) == [1, 2, 3, 4]

    assert after(async_to_sync(work)) == across_tasks.ALL


def test_a_block_that_is_left_twice_says_so():
    async def work():
        block = atomic()
        async with block:
            await acreate("kept")
        with pytest.raises(TransactionManagementError):
            await block.__aexit__(None, None, None)

    assert after(async_to_sync(work)) == ["kept"]
