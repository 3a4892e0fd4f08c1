"""Clean-up outlasts cancellations of whoever waits for it, for a while."""

import asyncio

import pytest

from turbo_orm.cancellation import outlast


class Cleanup:
    """Waits for good; counts cancellations, of which it loses the first ones."""

    def __init__(self, loses=0):
        self.loses = loses
        self.cancellations = 0

    async def run(self):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancellations += 1
                if self.cancellations > self.loses:
                    raise


@pytest.mark.parametrize("loses", [0, 1, 3])
async def test_what_loses_a_cancellation_is_cancelled_until_it_ends(loses):
    cleanup = Cleanup(loses)
    task = asyncio.create_task(cleanup.run())
    waiting = asyncio.create_task(outlast(task, 0.01))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait_for(asyncio.wait({waiting}), 30)

    assert (task.cancelled(), cleanup.cancellations) == (True, loses + 1)
    assert waiting.exception() is None


async def test_cancellations_within_the_grace_leave_the_clean_up_alone():
    done = asyncio.Event()
    task = asyncio.create_task(done.wait())
    waiting = asyncio.create_task(outlast(task, 30))
    for _ in range(3):
        await asyncio.sleep(0)
        waiting.cancel()

    done.set()
    await asyncio.wait_for(asyncio.wait({waiting}), 30)

    assert (task.result(), waiting.exception()) == (True, None)


async def test_it_returns_the_last_cancellation_in_the_context_of_the_first():
    go_on = asyncio.Event()
    task = asyncio.create_task(go_on.wait())
    waiting = asyncio.create_task(outlast(task, 30))
    await asyncio.sleep(0)
    for message in ("first", "last"):
        waiting.cancel(message)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    go_on.set()
    kept = await waiting
    assert (kept.args, kept.__context__.args) == (("last",), ("first",))


async def test_it_returns_nothing_if_nobody_is_cancelled():
    assert await outlast(asyncio.create_task(asyncio.sleep(0)), 30) is None
