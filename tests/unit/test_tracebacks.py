"""Tracebacks across the bridge, both ways."""

import asyncio
import sys
import traceback

import pytest

from turbo_orm import await_, portal, run_sync


async def fail_later():
    await asyncio.sleep(0)
    raise ZeroDivisionError


def wait_for_failure():
    await_(asyncio.get_running_loop().create_task(fail_later()))


def frames(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


async def test_error_of_an_awaited_task_shows_the_task_and_everyone_who_waited():
    with pytest.raises(ZeroDivisionError) as caught:
        await run_sync(wait_for_failure)

    names = frames(caught.value)
    assert [names.index(name) for name in ("run_sync", "wait_for_failure", "fail_later")] == sorted(
        names.index(name) for name in ("run_sync", "wait_for_failure", "fail_later")
    )


async def test_error_of_a_coroutine_in_a_portal_shows_every_frame():
    async def view():
        wait_for_failure()

    with pytest.raises(ZeroDivisionError) as caught:
        await portal(view())

    assert {"view", "wait_for_failure", "fail_later"} <= set(frames(caught.value))


async def test_error_being_handled_is_known_in_the_bridge_as_it_was():
    def handled():
        await_(asyncio.sleep(0))
        return sys.exc_info()[1]

    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        before = frames(error)
        seen = await run_sync(handled), error
        after = frames(error)

    assert seen[0] is seen[1]
    assert after == before
    assert await run_sync(handled) is None


async def test_error_raised_while_another_is_handled_has_it_as_its_context():
    def fail():
        raise KeyError

    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        with pytest.raises(KeyError) as caught:
            await run_sync(fail)
        handled = error

    assert caught.value.__context__ is handled
