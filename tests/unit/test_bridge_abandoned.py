"""Bridges that nobody resumes: closed, dropped, or left behind by their loop."""

import asyncio
import gc

import pytest

from turbo_orm.bridge import await_, eager, portal, run_sync


class Suspension:
    """Awaitable that yields once to whoever drives the coroutine."""

    def __await__(self):
        yield self


def waits_often(steps):
    """Wait four times, and again in every clean-up."""
    try:
        try:
            await_(Suspension())
            await_(Suspension())
        finally:
            steps.append("inner clean-up")
            await_(Suspension())
            steps.append("inner clean-up waited")
        await_(Suspension())
    except GeneratorExit:
        steps.append("closed")
        raise
    finally:
        steps.append("outer clean-up")
        await_(Suspension())


async def awaits_often(steps):
    """Do the same as a coroutine."""
    try:
        try:
            await Suspension()
            await_(Suspension())
        finally:
            steps.append("inner clean-up")
            await Suspension()
            steps.append("inner clean-up waited")
        await Suspension()
    except GeneratorExit:
        steps.append("closed")
        raise
    finally:
        steps.append("outer clean-up")
        await Suspension()


EXPECTED = {
    1: ["inner clean-up", "closed", "outer clean-up"],
    2: ["inner clean-up", "closed", "outer clean-up"],
    3: ["inner clean-up", "closed", "outer clean-up"],
    4: ["inner clean-up", "inner clean-up waited", "closed", "outer clean-up"],
    5: ["inner clean-up", "inner clean-up waited", "outer clean-up"],
}


@pytest.mark.parametrize("awaits", sorted(EXPECTED))
@pytest.mark.parametrize("drop", [False, True], ids=["closed", "dropped"])
def test_a_job_closed_at_any_wait_sees_generator_exit_and_can_wait_no_more(awaits, drop):
    steps = []
    coroutine = run_sync(waits_often, steps)
    for _ in range(awaits):
        coroutine.send(None)

    if not drop:
        coroutine.close()
    del coroutine
    gc.collect()

    assert steps == EXPECTED[awaits]


@pytest.mark.parametrize("awaits", sorted(EXPECTED))
@pytest.mark.parametrize("drop", [False, True], ids=["closed", "dropped"])
def test_an_eager_job_closed_at_any_wait_ends_likewise(awaits, drop):
    steps = []
    rest = eager(waits_often, steps)
    for _ in range(awaits):
        rest.send(None)

    if drop:
        with pytest.warns(RuntimeWarning, match="never awaited"):
            del rest
            gc.collect()
    else:
        rest.close()
    # The first wait was that of eager() itself.
    assert steps == EXPECTED[max(awaits, 1)]


@pytest.mark.parametrize("awaits", sorted(EXPECTED))
def test_a_portal_closed_at_any_wait_raises_nothing(awaits):
    steps = []
    coroutine = portal(awaits_often(steps))
    for _ in range(awaits):
        coroutine.send(None)

    coroutine.close()

    assert steps == EXPECTED[awaits]


def test_code_that_swallows_the_generator_exit_still_ends():
    def stubborn(steps):
        for _ in range(3):
            try:
                await_(Suspension())
            except GeneratorExit:
                steps.append("swallowed")
        return "done"

    steps = []
    coroutine = run_sync(stubborn, steps)
    coroutine.send(None)
    coroutine.close()
    assert steps == ["swallowed"] * 3


def test_closing_before_the_first_step_runs_nothing():
    steps = []
    coroutine = run_sync(steps.append, "ran")
    coroutine.close()
    assert steps == []


def test_a_loop_that_ends_cancels_its_bridges_and_lets_them_clean_up():
    steps = []

    def inside():
        try:
            await_(asyncio.sleep(30))
        except asyncio.CancelledError:
            await_(asyncio.sleep(0))
            steps.append("cleaned up")
            raise

    async def main():
        task = asyncio.create_task(run_sync(inside))
        await asyncio.sleep(0)
        assert not task.done()

    asyncio.run(main())
    assert steps == ["cleaned up"]


def test_a_bridge_whose_loop_was_closed_under_it_can_still_be_closed(caplog):
    steps = []

    def inside():
        try:
            await_(asyncio.sleep(30))
        finally:
            steps.append("ended")
            await_(asyncio.sleep(0))

    loop = asyncio.new_event_loop()
    coroutine = run_sync(inside)
    task = loop.create_task(coroutine)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    coroutine.close()
    del task, coroutine, loop
    gc.collect()

    assert steps == ["ended"]
    # asyncio itself says that a task was destroyed, as it does of any.
    assert {record.name for record in caplog.records} <= {"asyncio"}


async def test_the_bridge_works_on_after_jobs_were_abandoned():
    def inside(value):
        await_(asyncio.sleep(0))
        return value

    for _ in range(20):
        coroutine = run_sync(inside, 0)
        coroutine.send(None)
        coroutine.close()
        eager(inside, 0).close()
    assert await asyncio.gather(*(run_sync(inside, n) for n in range(20))) == list(range(20))
