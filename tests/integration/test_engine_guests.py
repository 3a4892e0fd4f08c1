"""What engines keep on their wrappers is there for guests at a connection.

A guest is another object for a wrapper: for a thread that a block waits for, or for the loop that a
thread waits for.
"""

import asyncio
import contextvars
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections

from tests.integration.test_engine_hooks import UNVISITED, observe, visit
from turbo_orm import atomic, run_sync
from turbo_orm.namespaces import begin_request

pytestmark = pytest.mark.needs_thread("what is tested")


@pytest.fixture
def keeping(make_alias):
    return make_alias(ENGINE="tests.engines.keeping", pool={"min_size": 1, "max_size": 2})


def close(alias):
    """Close what this thread has opened."""
    connections[alias].close()
    del connections[alias]


def entered(tenant):
    """Return what code observes that has entered one tenant, with a note of it."""
    return {
        **UNVISITED,
        "names": [tenant] * 2,
        "kept": (tenant, tenant, f"label of {tenant}", 1),
        "visited": [tenant],
        "noted": f"note of {tenant}",
    }


async def test_a_thread_that_a_block_waits_for_sees_and_sets_what_its_context_keeps(keeping):
    def work():
        before = observe(keeping)
        connections[keeping].note = "of the thread"
        return before

    async def task():
        async with atomic(keeping):
            await run_sync(visit, keeping, "block")
            in_thread = await sync_to_async(work)()
            after = connections[keeping].note
        return in_thread, after, (await run_sync(observe, keeping))["noted"]

    expected = (entered("block"), "of the thread", "of the thread")

    assert await asyncio.create_task(task()) == expected
    # The wrapper that the thread shared serves others now.
    assert await run_sync(observe, keeping) == UNVISITED


@pytest.mark.parametrize("first", ["block", "thread"])
async def test_a_helper_works_for_the_wrapper_that_was_asked(keeping, first):
    async def task():
        async with atomic(keeping):
            if first == "block":
                assert await run_sync(observe, keeping) == UNVISITED
            in_thread = await sync_to_async(observe)(keeping)
            return in_thread, await run_sync(observe, keeping)

    assert await asyncio.create_task(task()) == (UNVISITED, UNVISITED)
    assert await run_sync(observe, keeping) == UNVISITED


@pytest.mark.parametrize("where", ["in a request", "outside of requests"])
def test_a_coroutine_that_a_thread_waits_for_shares_what_the_thread_keeps(keeping, where):
    async def coroutine():
        before = await run_sync(observe, keeping)
        connections[keeping].note = "of the coroutine"
        return before

    def call():
        if where == "in a request":
            begin_request()
        visit(keeping, "caller")
        try:
            return async_to_sync(coroutine)(), connections[keeping].note, observe(keeping)["helper"]
        finally:
            close(keeping)

    found = []
    thread = threading.Thread(target=lambda: found.append(contextvars.Context().run(call)))
    thread.start()
    thread.join(60)

    assert found == [(entered("caller"), "of the coroutine", True)]


async def test_what_an_engine_sets_while_it_connects_is_there_for_each_request(keeping):
    async def request():
        begin_request()
        return await sync_to_async(observe)(keeping)

    found = [await asyncio.create_task(request()) for _ in range(2)]
    await sync_to_async(close)(keeping)

    assert found == [UNVISITED, UNVISITED]
