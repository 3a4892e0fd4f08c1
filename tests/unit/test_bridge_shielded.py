"""await_shielded and await_thread: waits that a cancellation, or the bridge, must not break."""

import asyncio
import threading

import pytest

from turbo_orm.bridge import (
    await_,
    await_shielded,
    await_thread,
    deliver_cancellation,
    portal,
    run_sync,
)
from turbo_orm.exceptions import MissingBridge


async def slow(steps, seconds=0.01):
    await asyncio.sleep(seconds)
    steps.append("shielded part done")
    return "result"


class Slow:
    """Takes until it is told to go on."""

    def __init__(self):
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, steps):
        self.begun.set()
        await self.go_on.wait()
        return await slow(steps)

    async def cancelled(self, task, times=1):
        """Cancel a task that waits for it, let it go on, and wait for the task."""
        await self.begun.wait()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        self.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def shielded():
    return Slow()


async def test_it_gives_the_result_or_raises_the_error_of_its_coroutine():
    async def fail():
        await asyncio.sleep(0)
        raise LookupError("inner")

    async def at_once():
        return "at once"

    assert await run_sync(lambda: await_shielded(slow([]), grace=5)) == "result"
    assert await run_sync(lambda: await_shielded(at_once(), grace=5)) == "at once"
    with pytest.raises(LookupError, match="inner"):
        await run_sync(lambda: await_shielded(fail(), grace=5))


async def test_a_cancellation_is_delivered_at_the_end_of_the_job(shielded):
    steps = []

    def inside():
        steps.append(await_shielded(shielded(steps), grace=5))
        steps.append("end")

    task = asyncio.create_task(run_sync(inside))
    await shielded.cancelled(task)
    assert steps == ["shielded part done", "result", "end"]


async def test_a_cancellation_is_delivered_at_the_next_wait(shielded):
    steps = []

    def inside():
        steps.append(await_shielded(shielded(steps), grace=5))
        try:
            await_(asyncio.sleep(30))
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise

    task = asyncio.create_task(run_sync(inside))
    await shielded.cancelled(task)
    assert steps == ["shielded part done", "result", "cancelled"]


async def test_repeated_cancellations_do_not_break_it(shielded):
    steps = []

    def inside():
        steps.append(await_shielded(shielded(steps), grace=5))

    task = asyncio.create_task(run_sync(inside))
    await shielded.cancelled(task, times=3)
    assert steps == ["shielded part done", "result"]


async def test_the_cancellation_wins_over_an_error_and_names_it_as_its_cause():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fail():
        begun.set()
        await go_on.wait()
        raise LookupError("inner")

    async def task():
        try:
            await run_sync(lambda: await_shielded(fail(), grace=5))
        except asyncio.CancelledError as error:
            return type(error.__cause__)

    running = asyncio.create_task(task())
    await begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await running is LookupError


async def test_after_the_grace_the_coroutine_is_cancelled():
    steps = []

    async def never():
        try:
            await asyncio.sleep(30)
        finally:
            steps.append("ended")

    def inside():
        try:
            await_shielded(never(), grace=0.05)
        except TimeoutError as error:
            steps.append(str(error))

    task = asyncio.create_task(run_sync(inside))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(steps) == ["clean-up took longer than 0.05 s after a cancellation", "ended"]


async def test_without_a_cancellation_the_grace_means_nothing():
    assert await run_sync(lambda: await_shielded(slow([]), grace=0)) == "result"


@pytest.mark.needs_thread("await_thread is for work that needs one")
async def test_await_thread_runs_blocking_work_in_a_thread():
    def work(value, *, factor):
        return value * factor, threading.current_thread() is threading.main_thread()

    assert await run_sync(lambda: await_thread(work, 3, factor=2)) == (6, False)
    with pytest.raises(ZeroDivisionError):
        await run_sync(lambda: await_thread(lambda: 1 / 0))


def test_await_thread_simply_calls_where_no_loop_runs():
    assert await_thread(threading.current_thread) is threading.main_thread()


async def test_await_thread_outside_the_bridge_is_refused():
    with pytest.raises(MissingBridge, match="outside the bridge"):
        await_thread(threading.current_thread)


async def test_inside_the_bridge_a_cancellation_is_delivered_where_a_call_ends(shielded):
    steps = []

    async def portal_body():
        try:
            await run_sync(lambda: await_shielded(shielded(steps), grace=5))
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise

    task = asyncio.create_task(portal(portal_body()))
    await shielded.cancelled(task)
    assert steps == ["shielded part done", "cancelled"]


async def test_inside_the_bridge_a_cancellation_wins_over_the_error_of_a_call(shielded):
    causes = []

    def inside():
        await_shielded(shielded([]), grace=5)
        raise LookupError("inner")

    async def portal_body():
        try:
            await run_sync(inside)
        except asyncio.CancelledError as error:
            causes.append(type(error.__cause__))
            raise

    task = asyncio.create_task(portal(portal_body()))
    await shielded.cancelled(task)
    assert causes == [LookupError]


async def test_a_cancellation_can_be_asked_for(shielded):
    steps = []

    def inside():
        await_shielded(shielded(steps), grace=5)
        try:
            try:
                raise LookupError
            finally:
                deliver_cancellation()
        except asyncio.CancelledError as error:
            steps.append(type(error.__context__))
        deliver_cancellation()
        steps.append("once")

    task = asyncio.create_task(run_sync(inside))
    await shielded.begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    shielded.go_on.set()
    await task
    assert steps == ["shielded part done", LookupError, "once"]


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a portal"])
async def test_of_several_cancellations_the_last_is_raised_in_the_context_of_the_first(
    shielded, inside
):
    found = []

    async def body():
        try:
            await run_sync(lambda: await_shielded(shielded([]), grace=5))
        except asyncio.CancelledError as error:
            found.extend([error.args, error.__context__.args])
            raise

    task = asyncio.create_task(portal(body()) if inside else body())
    await shielded.begun.wait()
    for message in ("first", "first", "last", "last"):
        task.cancel(message)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    shielded.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert found == [("last",), ("first",)]
