"""anyio's plugin."""

import anyio
import pytest
from bank.models import Account

from turbo_orm import atomic

pytestmark = pytest.mark.anyio


@pytest.fixture
async def linus(turbo_db, anyio_backend):
    return await Account.objects.acreate(owner="Linus")


async def owners():
    return [account.owner async for account in Account.objects.all()]


async def test_rows_of_both_kinds_of_fixtures_are_there(ada, linus):
    assert await owners() == ["Ada", "Linus"]


async def test_and_are_gone_in_the_next(turbo_db):
    assert await owners() == []


async def test_tasks_of_a_group_take_turns(linus):
    async def add(number):
        async with atomic():
            await Account.objects.acreate(owner=f"number {number}")

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(add, number)
    assert await Account.objects.acount() == 6
