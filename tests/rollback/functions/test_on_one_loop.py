"""pytest-asyncio, one loop for the session."""

import asyncio

import pytest
from bank.models import Account

from turbo_orm import atomic, pool_stats
from turbo_orm.test import leaks

on_the_sessions_loop = pytest.mark.asyncio(loop_scope="session")


async def owners():
    return [account.owner async for account in Account.objects.all()]


@pytest.mark.parametrize("number", range(3))
@on_the_sessions_loop
async def test_each_begins_with_its_own_rows(ada, hedy, number):
    assert await owners() == ["Ada", "Hedy"]
    await Account.objects.acreate(owner=f"number {number}")


@on_the_sessions_loop
async def test_tasks_take_turns(hedy):
    async def add(number):
        async with atomic():
            await Account.objects.acreate(owner=f"number {number}")

    await asyncio.gather(*(add(number) for number in range(5)))
    assert await Account.objects.acount() == 6


@pytest.mark.parametrize("time", ["first", "second"])
@on_the_sessions_loop
async def test_the_pool_outlives_a_transactional_test(turbo_transactional_db, time):
    assert await owners() == []
    async with leaks():
        await asyncio.gather(*(Account.objects.acreate(owner=name) for name in "abc"))
    assert pool_stats().size > 0


@on_the_sessions_loop
async def test_and_is_not_asked_in_others(hedy):
    before = pool_stats().requests
    assert await owners() == ["Hedy"]
    assert pool_stats().requests == before


class TestOfAClass:
    """A loop of its own, shorter than the session's and longer than a test's."""

    @pytest.mark.asyncio(loop_scope="class")
    @pytest.mark.parametrize("time", ["first", "second"])
    async def test_each_begins_with_nothing(self, turbo_db, time):
        assert await owners() == []
        await Account.objects.acreate(owner="Ada")
