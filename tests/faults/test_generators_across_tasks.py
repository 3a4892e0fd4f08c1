"""Generators with a block whose steps run in several tasks: each step is in the block."""

import asyncio
import contextlib
import contextvars
import sys

import pytest
from asgiref.sync import sync_to_async
from django.db.transaction import TransactionManagementError

from tests.closing import acreate, anames, create
from tests.invariant import assert_at_rest
from tests.places import PLACES
from tests.testapp.models import Author
from tests.waiting import FOREVER, until
from turbo_orm import atomic, pool_stats, run_sync
from turbo_orm.leases import driven
from turbo_orm.transaction import in_atomic_block


async def rows():
    async with atomic():
        await acreate("1, first")
        yield 1
        await acreate("2, alone")
        yield 2
        async with atomic():
            await acreate("3, in a block inside")
        await run_sync(create, "3, in the bridge")
        yield 3
        await asyncio.gather(acreate("4, gathered"), acreate("4, too"))
        yield 4


ALL = [
    "1, first",
    "2, alone",
    "3, in a block inside",
    "3, in the bridge",
    "4, gathered",
    "4, too",
]


# How a step is made: each gives it a context of its own.


async def in_task(generator):
    return await asyncio.create_task(anext(generator, None))


async def in_empty_context(generator):
    return await contextvars.Context().run(asyncio.create_task, anext(generator, None))


async def in_time(generator):
    """Step as Python before 3.12 always does it: in a task of its own."""
    return await asyncio.wait_for(anext(generator, None), FOREVER)


STEPS = [in_task, in_empty_context, in_time]


async def read(generator, step):
    found = []
    while (row := await step(generator)) is not None:
        found.append(row)
    return found


@pytest.mark.parametrize("step", STEPS)
async def test_every_step_is_in_the_block_whichever_task_makes_it(step, serve):
    for place in PLACES:
        assert await place(read(rows(), step), serve) == [1, 2, 3, 4]
        assert await anames() == ALL
        assert not in_atomic_block()
        await Author.objects.all().adelete()


@pytest.mark.parametrize("step", STEPS)
async def test_nothing_of_a_step_is_kept_if_the_block_fails(step, serve):
    async def work():
        generator = rows()
        for _ in range(3):
            await step(generator)
        with pytest.raises(ZeroDivisionError):
            await asyncio.create_task(generator.athrow(ZeroDivisionError()))

    for place in PLACES:
        await place(work(), serve)
        assert await anames() == []


async def close(generator):
    await generator.aclose()


async def close_in_task(generator):
    await asyncio.create_task(generator.aclose())


async def drop(generator):
    """Leave it to the end of the variable in ``work``."""


@pytest.mark.parametrize("end", [close, close_in_task, drop])
async def test_a_generator_that_is_closed_or_dropped_leaves_nothing(end):
    async def work(steps):
        generator = rows()
        for _ in range(steps):
            await in_task(generator)
        await end(generator)

    for steps in range(1, 5):
        await work(steps)
        await until(lambda: not pool_stats().in_use, told=pool_stats)
        assert (await anames(), driven.blocks) == ([], set())


async def test_whoever_asks_for_the_steps_is_in_no_block():
    generator = rows()
    for _ in range(3):
        await in_task(generator)
        assert not in_atomic_block()
        await acreate("between")
    await generator.aclose()

    assert await anames() == ["between"] * 3


async def test_the_task_that_made_a_step_itself_is_in_the_block_until_that_ends():
    generator = rows()
    await in_task(generator)
    await anext(generator)
    assert in_atomic_block()
    await acreate("between")
    await in_task(generator)
    await in_task(generator)
    assert await in_task(generator) is None

    assert not in_atomic_block()
    await acreate("after")
    assert await anames() == [*ALL, "after", "between"]


async def test_steps_alternate_between_tasks_that_live():
    async def worker(wanted):
        for number in wanted:
            await turns[number].wait()
            found.append(await anext(generator, None))
            turns[number + 1].set()
        await turns[5].wait()

    generator, found = rows(), []
    turns = [asyncio.Event() for _ in range(6)]
    workers = [asyncio.create_task(worker(wanted)) for wanted in ([0, 3], [1, 2, 4])]
    turns[0].set()
    await asyncio.gather(*workers)

    assert (found, await anames()) == ([1, 2, 3, 4, None], ALL)


async def test_what_a_step_awaits_is_in_its_block_and_nothing_else_is():
    async def steps():
        async with atomic():
            await acreate("first")
            yield 1
            await asyncio.gather(acreate("gathered"), acreate("too"))
            yield 2
            await asyncio.create_task(acreate("in a task"))
            yield 3
            beside.set()
            await contextvars.Context().run(asyncio.create_task, outside())
            await written.wait()
            yield 4

    async def outside():
        for _ in range(2):
            await acreate("outside on purpose")

    async def neighbour():
        await beside.wait()
        assert not in_atomic_block()
        await acreate("by a neighbour")
        written.set()

    beside, written = asyncio.Event(), asyncio.Event()
    variable.set("of whoever asks")
    task = asyncio.create_task(neighbour())
    generator = steps()
    for _ in range(4):
        await in_task(generator)
    await task
    await generator.aclose()

    assert await anames() == ["by a neighbour", *["outside on purpose"] * 2]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no task starts at once")
async def test_a_task_outside_on_purpose_stays_there_if_it_starts_at_once():
    async def steps():
        async with atomic():
            await acreate("inside")
            context = contextvars.Context()
            loop = asyncio.get_running_loop()
            await asyncio.Task(acreate("outside"), loop=loop, context=context, eager_start=True)
            yield 1

    async with contextlib.aclosing(steps()) as generator:
        await anext(generator)

    assert await anames() == ["outside"]


variable = contextvars.ContextVar("variable")


@pytest.mark.needs_thread("what is tested")
async def test_a_thread_that_a_step_calls_is_in_the_block():
    async def steps():
        async with atomic():
            await acreate("first")
            yield 1
            await sync_to_async(create)("in a thread")
            yield 2

    generator = steps()
    await in_task(generator)
    await in_task(generator)
    assert await anames() == []
    assert await in_task(generator) is None

    assert await anames() == ["first", "in a thread"]


async def test_a_block_that_was_given_up_raises_at_each_later_step():
    async def steps():
        async with atomic():
            await acreate("first")
            yield 1
            for _ in range(2):
                with pytest.raises(TransactionManagementError):
                    await acreate("elsewhere")
                yield 2

    generator = steps()
    await in_task(generator)
    (reference,) = driven.blocks
    reference().transaction.expire()
    await in_task(generator)
    await in_task(generator)
    with pytest.raises(TransactionManagementError):
        await in_task(generator)

    assert await anames() == []


async def test_a_step_inside_another_transaction_is_refused():
    generator = rows()
    await in_task(generator)
    with pytest.raises(TransactionManagementError, match="inside another block"):
        async with atomic():
            await acreate("in another")
            await anext(generator)

    assert await anames() == []


async def test_a_cancelled_step_rolls_the_block_back():
    async def steps():
        async with atomic():
            await acreate("first")
            yield 1
            await acreate("second")
            waiting.set()
            await asyncio.Event().wait()

    waiting = asyncio.Event()
    generator = steps()
    await in_task(generator)
    task = asyncio.create_task(in_task(generator))
    await waiting.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert await anames() == []
    await assert_at_rest("default")


async def test_a_task_of_others_that_a_step_awaits_stays_in_no_block():
    ready = asyncio.Event()

    async def load():
        await ready.wait()
        await acreate("loaded")

    shared = asyncio.create_task(load())

    async def failing():
        async with atomic():
            await acreate("lost")
            ready.set()
            await shared
            yield 1
            raise ValueError

    generator = failing()
    assert await anext(generator) == 1
    with pytest.raises(ValueError, match="^$"):
        await anext(generator)

    # As if nobody had awaited it: whoever has started it awaits it too.
    assert await anames() == ["loaded"]
