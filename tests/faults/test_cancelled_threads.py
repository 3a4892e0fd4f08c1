"""Blocks that are cancelled while threads are at work in them are all there or not there."""

import asyncio
import random
from collections import Counter

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.db import transaction

from tests.invariant import assert_at_rest
from tests.testapp.models import Tag
from turbo_orm import atomic, await_, run_sync

pytestmark = pytest.mark.needs_thread("what is tested")

PARTS = ("block", "savepoint", "coroutine")


def add(number, part):
    Tag.objects.create(name=f"{number} {part}")


def savepoint(number):
    async def coroutine():
        await Tag.objects.acreate(name=f"{number} coroutine")
        await asyncio.sleep(0.01)
        await sync_to_async(Tag.objects.count)()

    with transaction.atomic():
        add(number, "savepoint")
        async_to_sync(coroutine)()


def job(number):
    with transaction.atomic():
        add(number, "savepoint")
        await_(sync_to_async(add)(number, "coroutine"))


async def by_thread(number):
    await sync_to_async(savepoint)(number)


async def by_job(number):
    # A call of the same thread may be in the way of the job's own.
    await asyncio.gather(run_sync(job, number), sync_to_async(Tag.objects.count)())


async def block(number, way):
    async with ThreadSensitiveContext(), atomic():
        await Tag.objects.acreate(name=f"{number} block")
        await way(number)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", [by_thread, by_job])
async def test_random_cancellations_leave_whole_blocks(way, seed):
    chance = random.Random(seed)
    results = []
    for batch in range(5):
        tasks = [asyncio.create_task(block(f"{batch}.{n}", way)) for n in range(6)]
        await asyncio.sleep(chance.random() * 0.08)
        for task in tasks:
            if chance.random() < 0.7:
                task.cancel()
        results += await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)

    errors = [each for each in results if isinstance(each, Exception)]
    found = Counter([tag.name.split()[0] async for tag in Tag.objects.all()])
    assert (errors, {count for count in found.values() if count != len(PARTS)}) == ([], set())
    await assert_at_rest("default")
