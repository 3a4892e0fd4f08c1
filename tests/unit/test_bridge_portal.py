"""portal: coroutines whose synchronous code may wait."""

import asyncio
import sys

import pytest

from turbo_orm.bridge import await_, in_bridge, portal, run_sync


def nap(seconds=0.0):
    """Wait in the bridge."""
    await_(asyncio.sleep(seconds))


async def test_synchronous_code_in_an_asynchronous_view_may_wait():
    def render(value):
        nap()
        return f"<{value}>"

    async def view():
        await asyncio.sleep(0)
        first = render(1)
        await asyncio.sleep(0)
        return first + render(2)

    assert await portal(view()) == "<1><2>"


async def test_a_portal_takes_futures_and_tasks():
    async def two():
        await asyncio.sleep(0)
        return 2

    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    assert [await portal(future), await portal(asyncio.create_task(two()))] == [1, 2]


async def test_an_exception_leaves_the_portal_and_its_coroutine_runs_its_clean_up():
    steps = []

    async def view():
        try:
            await asyncio.sleep(0)
            raise LookupError("inside")
        finally:
            nap()
            steps.append("cleaned up")

    with pytest.raises(LookupError, match="inside"):
        await portal(view())
    assert steps == ["cleaned up"]


async def test_a_cancellation_reaches_the_coroutine():
    steps = []

    async def view():
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0)
            nap()
            steps.append("cleaned up")

    task = asyncio.create_task(portal(view()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cleaned up"]


async def test_an_asynchronous_generator_may_use_synchronous_code_that_waits():
    closed = []

    async def numbers():
        try:
            for number in range(5):
                nap()
                yield number
                await asyncio.sleep(0)
        finally:
            nap()
            closed.append(True)

    async def view():
        seen = []
        generator = numbers()
        async for number in generator:
            seen.append(number)
            if number == 2:
                break
        await generator.aclose()
        return seen

    assert await portal(view()) == [0, 1, 2]
    assert closed == [True]


async def test_an_asynchronous_generator_may_be_read_partly_inside_and_partly_outside():
    async def numbers():
        for number in range(4):
            await run_sync(nap)
            yield number

    generator = numbers()
    first = await portal(generator.__anext__())
    rest = [number async for number in generator]
    assert (first, rest) == (0, [1, 2, 3])


async def test_tasks_begun_inside_are_not_in_the_bridge():
    async def child():
        before = in_bridge()
        await asyncio.sleep(0)
        return before, await run_sync(in_bridge), in_bridge()

    async def view():
        return await asyncio.gather(child(), child())

    assert await portal(view()) == [(False, True, False)] * 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in Python 3.12")
async def test_tasks_that_start_eagerly_inside_wait_in_bridges_of_their_own():
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()

    async def child(value):
        await run_sync(nap, 0.01)
        return value, asyncio.current_task().get_name()

    async def view():
        tasks = [asyncio.create_task(child(n), name=f"child {n}") for n in range(3)]
        results = await asyncio.gather(*tasks)
        nap()
        return results, asyncio.current_task().get_name()

    loop.set_task_factory(asyncio.eager_task_factory)
    try:
        results = await asyncio.create_task(portal(view()), name="view")
    finally:
        loop.set_task_factory(before)
    assert results == ([(n, f"child {n}") for n in range(3)], "view")


async def test_a_portal_in_a_portal_shares_the_bridge():
    async def inner():
        nap()
        return "inner"

    async def outer():
        return await portal(inner())

    assert await portal(outer()) == "inner"
