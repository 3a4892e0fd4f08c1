"""What blocks the event loop fails in an integration test: shown by calls that do."""

import asyncio
import time

import pytest
from blockbuster import BlockingError

from turbo_orm import run_sync


async def test_a_blocking_call_on_the_loop_fails():
    with pytest.raises(BlockingError, match=r"time\.sleep"):
        time.sleep(0)  # noqa: ASYNC251 - what must not be


async def test_a_blocking_call_of_synchronous_code_in_the_bridge_fails_too():
    with pytest.raises(BlockingError, match=r"time\.sleep"):
        await run_sync(time.sleep, 0)


@pytest.mark.needs_thread("there it may block")
async def test_a_thread_may_block():
    await asyncio.to_thread(time.sleep, 0)


@pytest.mark.may_block("to show that it may then")
async def test_a_test_that_says_so_may_block():
    time.sleep(0)  # noqa: ASYNC251 - what it is about
