"""The transaction of a test: this thread's connection, used by every task in turn."""

import asyncio
import gc
from contextlib import nullcontext, suppress

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.db.utils import load_backend

from tests.testapp.models import Author
from tests.waiting import FOREVER, those_in_line, until, until_asleep
from turbo_orm import atomic, portal, run_sync
from turbo_orm.leases.shared import share, unshare
from turbo_orm.pool import get_pool
from turbo_orm.test import isolation


class Undone(Exception):
    """What rolls back."""


@pytest.fixture
def shared():
    """A transaction as a test case begins one, open to the event loop."""
    block = transaction.atomic()
    block._from_testcase = True
    block.__enter__()
    share("default")
    yield
    unshare("default")
    transaction.set_rollback(True)
    block.__exit__(None, None, None)
    assert Author.objects.count() == 0, "the test left rows behind"


def names():
    return list(Author.objects.order_by("name").values_list("name", flat=True))


async def anames():
    return await Author.objects.order_by("name").values_list("name", flat=True).alist()


def test_synchronous_and_awaited_code_see_each_others_rows(shared):
    async def inside():
        assert await anames() == ["Ada"]
        await Author.objects.acreate(name="Grace")
        assert get_pool("default")._opening is None

    Author.objects.create(name="Ada")
    asyncio.run(inside())
    assert names() == ["Ada", "Grace"]


def test_one_loop_after_another_uses_the_same_connection(shared):
    async def write(name):
        await asyncio.gather(*(Author.objects.acreate(name=f"{name}{n}") for n in range(3)))

    for name in "abc":
        asyncio.run(write(name))
    assert names() == [f"{name}{n}" for name in "abc" for n in range(3)]


async def test_a_block_is_a_savepoint(shared):
    await Author.objects.acreate(name="before")
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await Author.objects.acreate(name="lost")
            async with atomic():
                await Author.objects.acreate(name="lost too")
            raise ZeroDivisionError
    async with atomic():
        with pytest.raises(ZeroDivisionError):
            async with atomic():
                await Author.objects.acreate(name="inner")
                raise ZeroDivisionError
        await Author.objects.acreate(name="kept")
    assert await anames() == ["before", "kept"]


async def test_blocks_of_several_tasks_do_not_interleave(shared):
    async def write(name, *, fails):
        async with atomic():
            await Author.objects.acreate(name=name)
            await asyncio.sleep(0.001)
            await Author.objects.acreate(name=f"{name}-2")
            if fails:
                raise ZeroDivisionError

    tasks = [write(str(n), fails=n % 2 == 1) for n in range(10)]
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [type(None), ZeroDivisionError] * 5
    assert await anames() == sorted(f"{n}{end}" for n in range(0, 10, 2) for end in ("", "-2"))


async def test_a_task_begun_in_a_block_takes_turns_in_it(shared):
    async with atomic():
        await asyncio.gather(*(Author.objects.acreate(name=f"{n}") for n in range(5)))
        assert await anames() == ["0", "1", "2", "3", "4"]


async def test_a_task_begun_in_a_block_cannot_open_one_of_its_own(shared):
    async def own_block():
        async with atomic():
            pass

    async with atomic():
        with pytest.raises(TransactionManagementError, match="cannot open a block of its own"):
            await asyncio.create_task(own_block())


async def test_another_tasks_query_waits_for_the_end_of_a_block(shared, monkeypatch):
    entered, order, in_line = asyncio.Event(), [], those_in_line(monkeypatch)

    async def block():
        async with atomic():
            await Author.objects.acreate(name="in the block")
            entered.set()
            await until(lambda: in_line)
            order.append("block")

    async def query():
        await entered.wait()
        order.append(await Author.objects.acount())

    await asyncio.gather(block(), query())
    assert order == ["block", 1]


@pytest.mark.parametrize("opens", [False, True], ids=["statement", "block"])
async def test_a_block_lets_in_a_task_that_it_awaits(shared, opens):
    async def beside(begun):
        await begun.wait()
        async with atomic() if opens else nullcontext():
            await Author.objects.acreate(name="beside")

    begun = asyncio.Event()
    task = asyncio.create_task(beside(begun))
    with suppress(Undone):
        async with atomic():
            await Author.objects.acreate(name="block")
            begun.set()
            await asyncio.wait_for(task, 30)
            inside = await anames()
            raise Undone

    assert (inside, await anames()) == (["beside", "block"], [])


async def test_a_synchronous_block_keeps_its_turn_while_its_coroutine_waits(shared, monkeypatch):
    entered, in_line = asyncio.Event(), those_in_line(monkeypatch)

    async def view():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Author.objects.create(name="lost")
            entered.set()
            await until(lambda: in_line)
            assert names() == ["lost"]
            raise ZeroDivisionError

    async def other():
        await entered.wait()
        await Author.objects.acreate(name="kept")

    await asyncio.gather(portal(view()), other())
    assert await anames() == ["kept"]


async def test_a_cancelled_block_is_rolled_back_and_the_test_goes_on(shared):
    def sleep():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [FOREVER])

    async def block():
        async with atomic():
            await Author.objects.acreate(name="lost")
            await run_sync(sleep)

    task = asyncio.create_task(block())
    await until_asleep()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await Author.objects.acreate(name="kept")
    assert await anames() == ["kept"]


async def test_an_error_outside_of_blocks_breaks_the_transaction_as_in_djangos_test_case(shared):
    first = await Author.objects.acreate(name="Ada")
    with pytest.raises(DatabaseError):
        await run_sync(Author.objects.raw("SELECT nonsense").__len__)
    with pytest.raises((TransactionManagementError, DatabaseError)):
        await Author.objects.aget(pk=first.pk)


async def test_rows_are_streamed_in_the_transaction(shared):
    await Author.objects.abulk_create(Author(name=f"{n:02}") for n in range(30))
    found = [author.name async for author in Author.objects.order_by("name").aiterator(7)]
    assert found == [f"{n:02}" for n in range(30)]


async def test_a_task_that_ends_inside_a_block_is_reported_and_spoils_the_test(shared, caplog):
    async def enters():
        await atomic().__aenter__()
        await Author.objects.acreate(name="lost")

    await asyncio.create_task(enters())
    await asyncio.sleep(0)

    assert "A task ended inside an atomic block of 'default'" in caplog.text
    with pytest.raises(TransactionManagementError):
        await anames()


async def test_a_durable_block_is_allowed_at_the_top_and_not_inside_another(shared):
    async with atomic(durable=True):
        await Author.objects.acreate(name="Ada")
    with pytest.raises(RuntimeError, match="durable"):
        async with atomic(), atomic(durable=True):
            pass
    assert await anames() == ["Ada"]


def test_afterwards_the_connection_is_djangos_own_again(shared):
    wrapper = connections["default"]
    before = dict(vars(wrapper))

    unshare("default")
    again = dict(vars(connections["default"]))

    assert type(wrapper) is load_backend(settings.DATABASES["default"]["ENGINE"]).DatabaseWrapper
    assert again == {name: value for name, value in before.items() if name in again}
    assert set(before) - set(again) == {
        *(
            "_lender",
            *("given_up", "timezone_is_stale"),
            "_named_cursors",
            "_transaction",
            "_turbo_engine",
            "_turbo_faces",
            "home",
        )
    }
    assert type(wrapper.atomic_blocks) is list
    share("default")


def test_a_generator_that_outlives_its_test_raises_nothing_when_it_is_collected():
    def begin():
        rows = Author.objects.iterator(chunk_size=1)
        next(rows)
        return rows

    async def test():
        await Author.objects.abulk_create([Author(name="a"), Author(name="b")])
        return await run_sync(begin)

    block = transaction.atomic()
    block._from_testcase = True
    with block:
        with isolation.shared_transactions():
            rows = asyncio.run(test())
        transaction.set_rollback(True)

    del rows
    gc.collect()


def test_a_database_without_content_types_can_be_shared(monkeypatch):
    def ask_for_a_table_that_is_not_there(alias):
        with suppress(DatabaseError), connections[alias].cursor() as cursor:
            cursor.execute("SELECT FROM nowhere")

    monkeypatch.setattr(isolation, "remember_content_types", ask_for_a_table_that_is_not_there)
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        with isolation.shared_transactions():
            assert asyncio.run(Author.objects.acount()) == 0


def test_methods_that_django_put_back_on_a_connection_do_not_hide_the_shared_ones():
    connection.cursor = connection.cursor
    block = transaction.atomic()
    block._from_testcase = True
    with block, isolation.shared_transactions():
        assert asyncio.run(Author.objects.acount()) == 0
    connections["default"].close()


async def test_the_connection_of_the_test_is_one_that_every_job_has(shared):
    assert await run_sync(lambda: [c.alias for c in connections.all(initialized_only=True)]) == [
        "default"
    ]
