"""run_sync and await_: results, errors, context variables, cancellation, nesting."""

import asyncio
import contextvars
import sys
import traceback
import types

import pytest

from turbo_orm.bridge import await_, in_bridge, portal, run_sync
from turbo_orm.exceptions import MissingBridge

number = contextvars.ContextVar("number", default=0)


def nap(seconds=0.0):
    """Wait in the bridge."""
    await_(asyncio.sleep(seconds))


async def test_run_sync_passes_arguments_and_returns_the_result():
    def describe(*args, **kwargs):
        nap()
        return args, kwargs

    assert await run_sync(describe, 1, "two", three=3) == ((1, "two"), {"three": 3})
    assert await run_sync(dict) == {}


async def test_a_keyword_named_function_reaches_the_function():
    assert await run_sync(dict, function="f") == {"function": "f"}


@pytest.mark.parametrize("wait_first", [False, True])
async def test_an_exception_comes_out_as_it_was_raised(wait_first):
    raised = ValueError("as it was")

    def fail():
        if wait_first:
            nap()
        raise raised

    with pytest.raises(ValueError, match="as it was") as caught:
        await run_sync(fail)
    assert caught.value is raised


async def test_a_traceback_shows_the_frames_of_caller_and_callee():
    async def deepest():
        await asyncio.sleep(0)
        raise LookupError

    def callee():
        await_(deepest())

    async def caller():
        await run_sync(callee)

    with pytest.raises(LookupError) as caught:
        await caller()

    names = [frame.name for frame in traceback.extract_tb(caught.tb)]
    ours = [name for name in names if name in {"caller", "callee", "deepest"}]
    assert ours == ["caller", "callee", "deepest"]


async def test_a_stop_iteration_raised_inside_becomes_a_runtime_error():
    def stop_at_once():
        raise StopIteration("inner")

    def stop_later():
        nap()
        raise StopIteration("inner")

    for function in (stop_at_once, stop_later):
        with pytest.raises(RuntimeError, match="StopIteration") as caught:
            await run_sync(function)
        assert isinstance(caught.value.__cause__, StopIteration)


async def test_code_in_the_bridge_knows_it():
    assert (in_bridge(), await run_sync(in_bridge), in_bridge()) == (False, True, False)


async def test_only_the_waiting_task_is_suspended():
    order = []

    def worker(name, seconds):
        order.append(f"{name} waits")
        nap(seconds)
        order.append(f"{name} goes on")

    await asyncio.gather(run_sync(worker, "slow", 0.05), run_sync(worker, "fast", 0.01))

    assert order == ["slow waits", "fast waits", "fast goes on", "slow goes on"]


async def test_context_variables_go_in_and_come_out():
    seen = []

    def inside():
        seen.append(number.get())
        number.set(2)
        nap()
        seen.append(number.get())
        number.set(3)

    number.set(1)
    await run_sync(inside)

    assert seen == [1, 2]
    assert number.get() == 3


async def test_a_token_taken_inside_resets_outside():
    number.set(1)
    token = await run_sync(number.set, 2)
    number.reset(token)
    assert number.get() == 1


async def test_what_is_set_outside_while_the_bridge_waits_is_seen_inside():
    async def change():
        await asyncio.sleep(0)
        number.set(number.get() + 1)

    def inside():
        before = number.get()
        await_(change())
        return before, number.get()

    number.set(5)
    assert await run_sync(inside) == (5, 6)
    assert number.get() == 6


async def test_fifty_tasks_with_reused_greenlets_keep_their_own_context():
    def count(start):
        number.set(start)
        for _ in range(5):
            nap()
            number.set(number.get() + 1)
        return number.get()

    async def task(start):
        first = await run_sync(count, start)
        return first, await run_sync(number.get), number.get()

    number.set(-1)
    for _ in range(3):
        results = await asyncio.gather(*(task(100 * n) for n in range(50)))
        assert results == [(100 * n + 5,) * 3 for n in range(50)]
    assert number.get() == -1


async def test_await_takes_every_kind_of_awaitable():
    class Custom:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "custom"

    @types.coroutine
    def generator_based():
        yield
        return "generator"

    async def coroutine():
        await asyncio.sleep(0)
        return "coroutine"

    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(0.01, future.set_result, "future")
    task = loop.create_task(coroutine())

    def inside():
        awaitables = (coroutine(), future, task, Custom(), generator_based())
        return [await_(awaitable) for awaitable in awaitables]

    assert await run_sync(inside) == ["coroutine", "future", "coroutine", "custom", "generator"]


async def test_what_is_not_awaitable_is_refused():
    with pytest.raises(TypeError, match="int"):
        await run_sync(await_, 5)


async def test_an_awaited_failure_can_be_handled_inside():
    async def fail():
        await asyncio.sleep(0)
        raise LookupError("inner")

    def inside():
        try:
            await_(fail())
        except LookupError as error:
            return f"handled {error}"

    assert await run_sync(inside) == "handled inner"


async def test_await_outside_a_bridge_closes_the_coroutine_and_names_the_remedy():
    coroutine = asyncio.sleep(0)

    with pytest.raises(MissingBridge, match=r"await run_sync\(") as caught:
        await_(coroutine)

    assert "sleep" in str(caught.value)
    # A coroutine that is closed warns of nothing when it goes, and cannot be awaited any more.
    assert coroutine.cr_frame is None


def test_await_where_no_loop_runs_is_refused_too():
    coroutine = asyncio.sleep(0)
    with pytest.raises(MissingBridge, match="outside the bridge"):
        await_(coroutine)
    assert coroutine.cr_frame is None


async def test_a_cancellation_reaches_the_code_and_its_clean_up_may_wait():
    steps = []

    def inside():
        try:
            nap(30)
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise
        finally:
            nap(0.01)
            steps.append("cleaned up")

    task = asyncio.create_task(run_sync(inside))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cancelled", "cleaned up"]
    assert task.cancelled()


async def test_code_that_handles_a_cancellation_goes_on():
    def inside():
        try:
            nap(30)
        except asyncio.CancelledError:
            nap()
            return "went on"

    task = asyncio.create_task(run_sync(inside))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "went on"


async def test_wait_for_works_around_and_inside():
    def inside():
        with pytest.raises(asyncio.TimeoutError):
            await_(asyncio.wait_for(asyncio.sleep(30), 0.01))
        nap(30)

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(run_sync(inside), 0.1)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is new in Python 3.11")
async def test_timeout_works_around_and_inside():
    async def limited(seconds):
        async with asyncio.timeout(seconds):
            await asyncio.sleep(30)

    def inside():
        with pytest.raises(TimeoutError):
            await_(limited(0.01))
        nap(30)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await run_sync(inside)
    assert asyncio.current_task().cancelling() == 0


async def test_bridges_nest():
    async def innermost(value):
        await asyncio.sleep(0)
        return await run_sync(lambda: (nap(), value + 1)[1])

    def inner(value):
        return await_(portal(innermost(value + 1)))

    async def outer(value):
        return await run_sync(inner, value + 1)

    assert await run_sync(lambda: await_(portal(outer(0)))) == 3


async def test_a_generator_can_wait_between_its_values():
    def values():
        for value in range(3):
            nap()
            yield value

    assert await run_sync(lambda: list(values())) == [0, 1, 2]
    assert await run_sync(list, values()) == [0, 1, 2]


async def test_a_thousand_jobs_wait_at_once():
    gate = asyncio.Event()

    def wait_at_gate(value):
        await_(gate.wait())
        nap()
        return value

    tasks = [asyncio.create_task(run_sync(wait_at_gate, value)) for value in range(1000)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*tasks) == list(range(1000))


async def test_jobs_may_be_nested_deeply():
    async def deeper(depth):
        if depth == 0:
            await asyncio.sleep(0)
            return 0
        return 1 + await run_sync(lambda: await_(deeper(depth - 1)))

    assert await deeper(40) == 40
