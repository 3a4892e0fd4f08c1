"""eager: a plain value where nothing had to wait, a coroutine for the rest where it had."""

import asyncio
import contextvars
import gc
import inspect
from collections.abc import Coroutine

import pytest

from turbo_orm.bridge import await_, eager, portal

number = contextvars.ContextVar("number", default=0)


def nap(seconds=0.0):
    """Wait in the bridge."""
    await_(asyncio.sleep(seconds))


def twice(value):
    nap()
    return value * 2


async def test_a_function_that_never_waits_gives_its_plain_value():
    assert eager(lambda *args, **kwargs: (args, kwargs), 1, two=2) == ((1,), {"two": 2})


async def test_a_function_that_raises_before_it_waits_raises_at_once():
    with pytest.raises(ZeroDivisionError):
        eager(lambda: 1 / 0)


async def test_a_function_that_waits_gives_a_coroutine_for_the_rest():
    rest = eager(twice, 21)
    assert isinstance(rest, Coroutine)
    assert inspect.isawaitable(rest)
    assert await rest == 42


async def test_the_rest_can_be_a_task_and_raises_what_the_function_raises():
    def fail():
        nap()
        raise LookupError("later")

    assert await asyncio.create_task(eager(twice, 4)) == 8
    with pytest.raises(LookupError, match="later"):
        await asyncio.create_task(eager(fail))


async def test_the_rest_can_be_awaited_only_once():
    rest = eager(twice, 4)
    assert await rest == 8
    with pytest.raises(RuntimeError, match="already awaited"):
        await rest


async def test_it_runs_in_a_copy_of_the_context():
    def inside(wait):
        before = number.get()
        number.set(before + 1)
        if wait:
            nap()
        return before, number.get()

    number.set(1)
    assert eager(inside, False) == (1, 2)
    assert await eager(inside, True) == (1, 2)
    assert number.get() == 1


async def test_several_jobs_of_one_task_are_suspended_side_by_side():
    def inside(value, seconds):
        number.set(value)
        nap(seconds)
        nap()
        return number.get()

    jobs = [eager(inside, value, 0.05 - value / 100) for value in range(5)]
    assert [await job for job in reversed(jobs)] == [4, 3, 2, 1, 0]
    jobs = [eager(inside, value, 0.05 - value / 100) for value in range(5)]
    assert await asyncio.gather(*jobs) == [0, 1, 2, 3, 4]


async def test_another_task_may_resume_what_one_began():
    async def begin():
        return eager(twice, 5)

    async def finish(rest):
        await asyncio.sleep(0)
        return await rest

    rest = await asyncio.create_task(begin())
    assert await asyncio.create_task(finish(rest)) == 10


async def test_a_job_begun_in_one_bridge_may_be_resumed_in_another_and_outside():
    async def begin():
        await asyncio.sleep(0)
        return eager(twice, 5), eager(twice, 6)

    async def finish(rest):
        return await rest

    first, second = await portal(begin())
    assert await portal(finish(first)) == 10
    assert await second == 12


async def test_a_job_waits_inside_another_bridge():
    async def view():
        nap()
        return [await eager(twice, 1), await_(eager(twice, 2)), eager(lambda: 3)]

    assert await portal(view()) == [2, 4, 3]


@pytest.mark.parametrize("started", [False, True])
async def test_a_cancelled_job_sees_the_cancellation_and_may_clean_up(started):
    steps = []

    def inside():
        try:
            nap(30)
        except BaseException as error:
            steps.append(type(error))
            nap()
            steps.append("cleaned up")
            raise

    task = asyncio.create_task(eager(inside))
    if started:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == [asyncio.CancelledError, "cleaned up"]


async def test_closing_it_unawaited_ends_the_job_without_a_warning():
    steps = []

    def inside():
        try:
            nap(30)
        except GeneratorExit:
            steps.append("closed")
            raise
        finally:
            steps.append("cleaned up")

    rest = eager(inside)
    rest.close()
    rest.close()
    del rest
    gc.collect()
    assert steps == ["closed", "cleaned up"]


async def test_one_that_is_never_awaited_warns_with_the_function_s_name():
    steps = []

    def forgotten_function():
        try:
            nap(30)
        finally:
            steps.append("cleaned up")

    rest = eager(forgotten_function)
    with pytest.warns(RuntimeWarning, match=r"forgotten_function.* was never awaited"):
        del rest
        gc.collect()
    assert steps == ["cleaned up"]
