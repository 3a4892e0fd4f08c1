"""Who awaits a task, through whatever asyncio offers."""

import asyncio
import contextlib
import sys
from contextvars import ContextVar
from types import SimpleNamespace

import pytest

from turbo_orm import callers
from turbo_orm.awaited import is_awaited, pause_between_glances

here = ContextVar("here", default=False)


def inside(context, task):
    return context.get(here, False)


async def directly(task):
    await task


async def gathered(task):
    await asyncio.gather(asyncio.sleep(0), task)


async def gathered_twice(task):
    await asyncio.gather(asyncio.gather(task))


async def waited(task):
    await asyncio.wait([task])


async def waited_for(task):
    await asyncio.wait_for(task, 30)


async def shielded(task):
    await asyncio.shield(task)


async def completed(task):
    for future in asyncio.as_completed([task]):
        await future


async def grouped(task):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(directly(task))


WAYS = [directly, gathered, gathered_twice, waited, waited_for, shielded, completed]
if sys.version_info >= (3, 11):
    WAYS.append(grouped)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def waiting(*coroutine_functions):
    """Let each of them await the task of the one before; give the first task."""
    go_on = asyncio.Event()
    tasks = [asyncio.create_task(go_on.wait())]
    for function in coroutine_functions:
        tasks.append(asyncio.create_task(function(tasks[-1])))
    await settle()
    yield tasks[0]
    go_on.set()
    await asyncio.gather(*tasks)


async def marked(task):
    here.set(True)
    await task


@pytest.mark.parametrize("way", WAYS)
async def test_code_inside_awaits_the_task(way):
    async def within(task):
        here.set(True)
        await way(task)

    async with waiting(within) as task:
        assert is_awaited(task, inside)


@pytest.mark.parametrize("way", [way for way in WAYS if way is not completed])
async def test_code_inside_awaits_a_task_that_awaits_the_task(way):
    async with waiting(way, marked) as task:
        assert is_awaited(task, inside)


@pytest.mark.parametrize("way", WAYS)
async def test_others_that_await_it_do_not_count(way):
    async with waiting(way) as task:
        assert not is_awaited(task, inside)


async def test_what_is_gathered_beside_the_task_does_not_await_it():
    async def both(task):
        await asyncio.gather(asyncio.create_task(marked(asyncio.sleep(0.01))), task)

    async with waiting(both) as task:
        assert not is_awaited(task, inside)


async def test_a_task_itself_may_count():
    async with waiting(directly) as task:
        waiter = next(
            each for each in asyncio.all_tasks() if each.get_coro().__name__ == "directly"
        )
        assert is_awaited(task, lambda context, task: task is waiter)
        assert not is_awaited(waiter, lambda context, task: task is waiter)


async def test_nobody_awaits_what_is_no_task():
    assert not is_awaited(None, inside)


def test_the_more_wait_the_less_often_each_looks():
    # A look costs tens of microseconds.
    shares = [n * 0.00005 / pause_between_glances(n) for n in (1, 1000, 10_000)]
    assert (pause_between_glances(1) < 0.03, max(shares) <= 0.1) == (True, True)


async def test_those_who_wait_for_a_block_of_their_caller_look_the_less_often_the_more_they_are(
    monkeypatch,
):
    block, asked = SimpleNamespace(gone=asyncio.Event()), []
    caller = callers.Caller(None)
    caller.blocks["default"] = block
    monkeypatch.setattr(
        callers.Caller, "foreign_block", lambda *of: None if block.gone.is_set() else block
    )
    monkeypatch.setattr(callers, "pause_between_glances", lambda n: asked.append(n) or 60)
    waiting = [asyncio.create_task(callers.own_turn(caller)) for _ in range(5)]
    await asyncio.sleep(0)
    block.gone.set()
    await asyncio.gather(*waiting)
    assert (asked, caller.waiting) == ([1, 2, 3, 4, 5], 0)
