"""What the bridge keeps: a few sleeping greenlets, and nothing of what ran in them."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import weakref

import pytest

from tests.waiting import until
from turbo_orm import bridge
from turbo_orm.bridge import await_, eager, portal, run_sync

kept = contextvars.ContextVar("kept")


class Thing:
    """Something that a weak reference can watch."""


def nap(seconds=0.0):
    """Wait in the bridge."""
    await_(asyncio.sleep(seconds))


def living_workers():
    gc.collect()
    return sum(type(thing) is bridge._Worker for thing in gc.get_objects())


@pytest.fixture
def without_gc():
    """Show reference cycles: nothing that is in one goes away."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_one_greenlet_after_another_is_one_greenlet():
    await run_sync(nap)
    before = living_workers()
    for _ in range(50):
        await run_sync(nap)
        await portal(asyncio.sleep(0))
        await eager(nap)
    assert living_workers() == before


async def test_after_a_rush_no_more_greenlets_live_than_are_parked():
    await asyncio.gather(*(run_sync(nap, 0.01) for _ in range(bridge.PARKED_MAX)))
    before = living_workers()
    for _ in range(2):
        await asyncio.gather(*(run_sync(nap, 0.01) for _ in range(bridge.PARKED_MAX * 2)))
    assert living_workers() <= before


async def test_abandoned_jobs_leave_no_greenlet_behind():
    await asyncio.gather(*(run_sync(nap, 0.01) for _ in range(10)))
    before = living_workers()
    for _ in range(50):
        coroutine = run_sync(nap)
        coroutine.send(None)
        coroutine.close()
    del coroutine
    assert living_workers() <= before


@pytest.mark.needs_thread("this is about what a thread leaves behind")
def test_a_thread_that_ends_leaves_no_greenlet_behind():
    async def main():
        await asyncio.gather(*(run_sync(nap) for _ in range(20)))

    before = living_workers()
    for _ in range(3):
        thread = threading.Thread(target=asyncio.run, args=(main(),))
        thread.start()
        thread.join()
    # greenlet clears up after a dead thread when a greenlet is next made.
    asyncio.run(main())
    assert living_workers() <= before + 20


async def test_a_parked_greenlet_keeps_neither_context_nor_arguments_nor_result(without_gc):
    async def use():
        thing, argument = Thing(), Thing()
        kept.set(thing)
        result = await run_sync(lambda value: (nap(), Thing())[1], argument)
        return weakref.ref(thing), weakref.ref(argument), weakref.ref(result)

    references = await asyncio.get_running_loop().create_task(use())
    await asyncio.sleep(0)
    assert [reference() for reference in references] == [None, None, None]


@pytest.mark.parametrize("wait_first", [False, True])
async def test_an_exception_makes_no_reference_cycle(without_gc, wait_first):
    references = []

    def fail():
        thing = Thing()
        references.append(weakref.ref(thing))
        if wait_first:
            nap()
        raise LookupError

    async def use():
        with contextlib.suppress(LookupError):
            await run_sync(fail)
        with contextlib.suppress(LookupError):
            await portal(eager_or_fail())

    async def eager_or_fail():
        result = eager(fail)
        return await result

    await use()
    assert [reference() for reference in references] == [None, None]


async def test_a_cancelled_job_makes_no_reference_cycle(without_gc):
    references = []

    def inside():
        thing = Thing()
        references.append(weakref.ref(thing))
        nap(30)

    task = asyncio.create_task(run_sync(inside))
    await until(lambda: references)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    del task
    await asyncio.sleep(0)
    assert [reference() for reference in references] == [None]


async def test_an_abandoned_job_makes_no_reference_cycle(without_gc):
    references = []

    def inside():
        thing = Thing()
        references.append(weakref.ref(thing))
        nap(30)

    coroutine = run_sync(inside)
    coroutine.send(None)
    coroutine.close()
    del coroutine
    rest = eager(inside)
    rest.close()
    del rest
    assert [reference() for reference in references] == [None, None]
