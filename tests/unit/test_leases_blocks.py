"""The turn of a block is given back whatever fails while it is taken."""

import asyncio

import pytest
from django.db import transaction

from turbo_orm import run_sync
from turbo_orm.callers import Caller
from turbo_orm.leases import blocks
from turbo_orm.leases.in_threads import ThreadGuest


@pytest.fixture
def caller(monkeypatch):
    """A caller that is taken for the one who waits for this code."""
    made = Caller(None)
    monkeypatch.setattr(blocks, "current_caller", lambda: made)
    return made


async def test_a_block_is_not_left_behind_where_its_connection_is_refused(caller, monkeypatch):
    def refuse(caller, alias):
        raise RuntimeError("too late")

    monkeypatch.setattr(blocks, "guest_on_loop", refuse)

    with pytest.raises(RuntimeError, match="too late"):
        await run_sync(blocks._take_turn, transaction.atomic())

    assert caller.blocks == {}


async def test_a_turn_that_the_thread_has_kept_is_released_after_a_cancellation(
    caller, monkeypatch
):
    done, kept, began, go_on = [], object(), asyncio.Event(), asyncio.Event()

    class Host(ThreadGuest):
        keep = release = "not called here"

    host = Host.__new__(Host)

    async def call_back(caller, function):
        if not began.is_set():
            began.set()
            await go_on.wait()
        done.append(kept)

    class Guest:
        pass

    Guest.host = host
    monkeypatch.setattr(blocks, "guest_on_loop", lambda caller, alias: Guest)
    monkeypatch.setattr(blocks, "call_back", call_back)
    task = asyncio.create_task(run_sync(lambda: blocks._take_turn(transaction.atomic())()))
    await began.wait()

    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait({task}, timeout=30)

    assert (task.cancelled(), done, caller.blocks) == (True, [kept, kept], {})
