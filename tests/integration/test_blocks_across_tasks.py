"""Blocks that one task enters and another leaves: fixtures and test cases do so."""

import asyncio
import sys
import unittest

import pytest
from django.db.transaction import TransactionManagementError

from tests.invariant import assert_at_rest
from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import atomic, pool_stats, run_sync
from turbo_orm.transaction import in_atomic_block


async def names():
    return [name async for name in Author.objects.order_by("name").values_list("name", flat=True)]


@pytest.fixture
async def at_rest():
    """Look in vain for what the fixtures' own blocks still hold: see ``committed``."""


@pytest.fixture
async def committed():
    """What is there after the block of another fixture."""
    expected = []
    yield expected
    assert await names() == sorted(expected)
    await assert_at_rest("default")


@pytest.fixture
async def in_block(committed):
    async with atomic():
        await Author.objects.acreate(name="by the fixture")
        yield committed


async def test_a_block_of_a_fixture_is_around_the_test(in_block):
    assert in_atomic_block()
    await Author.objects.acreate(name="by the test")
    async with atomic():
        await Author.objects.acreate(name="in a block of the test")
    in_block += ["by the fixture", "by the test", "in a block of the test"]


async def test_tasks_of_the_test_are_in_the_block_of_the_fixture(in_block):
    found = await asyncio.gather(*(Author.objects.acount() for _ in range(5)))
    assert found == [1] * 5
    # The first goes on where the fixture's task has ended, the other is beside it.
    entering = asyncio.gather(enter_as_owner(), enter_as_owner(), return_exceptions=True)
    assert [type(each) for each in await entering] == [type(None), TransactionManagementError]
    in_block += ["by the fixture"]


async def enter_as_owner():
    async with atomic():
        await asyncio.sleep(0)


@pytest.mark.parametrize("number", range(2))
async def test_a_test_without_the_fixture_is_in_no_block(number):
    assert not in_atomic_block()
    await Author.objects.acreate(name="alone")
    assert await names() == ["alone"]


class Case(unittest.IsolatedAsyncioTestCase):
    """Its coroutines are tasks of one context each after the other."""

    async def asyncSetUp(self):
        block = atomic()
        await block.__aenter__()
        # What enterAsyncContext() does, from Python 3.11 on.
        self.addAsyncCleanup(block.__aexit__, None, None, None)
        await Author.objects.acreate(name="by asyncSetUp")

    async def asyncTearDown(self):
        await Author.objects.acreate(name="by asyncTearDown")

    async def test_in_block(self):
        assert in_atomic_block()
        await Author.objects.acreate(name="by the test")
        assert await names() == ["by asyncSetUp", "by the test"]


class Dropping(unittest.IsolatedAsyncioTestCase):
    """Nobody can leave the block that it enters."""

    async def asyncSetUp(self):
        await asyncio.create_task(drop_block())
        if sys.version_info >= (3, 11):
            # A task of its own, in the context of the test.
            await atomic().__aenter__()
            await Author.objects.acreate(name="lost")

    async def test_after_it(self):
        assert not in_atomic_block()
        await Author.objects.acreate(name="by the test")
        async with atomic():
            await Author.objects.acreate(name="in a block")
        await until(lambda: not pool_stats().in_use, told=pool_stats)


async def drop_block():
    await atomic().__aenter__()
    await Author.objects.acreate(name="lost")


def outcome(case, name):
    result = unittest.TestResult()
    case(name).run(result)
    return [text for _, text in result.errors + result.failures], result.testsRun


def test_a_block_entered_in_asyncsetup_is_around_the_test_and_commits():
    assert outcome(Case, "test_in_block") == ([], 1)
    found = sorted(Author.objects.values_list("name", flat=True))
    assert found == ["by asyncSetUp", "by asyncTearDown", "by the test"]


def test_a_block_that_nobody_can_leave_harms_no_later_test(caplog):
    assert outcome(Dropping, "test_after_it") == ([], 1)
    assert sorted(Author.objects.values_list("name", flat=True)) == ["by the test", "in a block"]
    assert "A task ended inside an atomic block of 'default'" in caplog.text
    assert outcome(Case, "test_in_block")[1] == 1


async def test_a_block_left_in_a_context_that_is_not_in_it_commits():
    block = atomic()

    async def enter():
        await block.__aenter__()
        await Author.objects.acreate(name="inside")
        entered.set()
        await left.wait()

    entered, left = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(enter())
    await entered.wait()
    await Author.objects.acreate(name="outside")
    assert await names() == ["outside"]
    await block.__aexit__(None, None, None)
    left.set()
    await task

    assert await names() == ["inside", "outside"]


async def test_a_block_that_was_lost_raises_where_it_is_left(caplog):
    block = atomic()

    async def enter():
        await block.__aenter__()
        await Author.objects.acreate(name="lost")

    await asyncio.create_task(enter())
    await until(lambda: not pool_stats().in_use, told=pool_stats)
    with pytest.raises(TransactionManagementError, match="same context"):
        await block.__aexit__(None, None, None)
    with pytest.raises(TransactionManagementError, match="is not open"):
        await block.__aexit__(None, None, None)

    assert await run_sync(Author.objects.count) == 0
