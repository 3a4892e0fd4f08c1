"""An alias that DATABASES does not have is Django's error, wherever it is named."""

import pytest
from django.db import connections, transaction
from django.utils.connection import ConnectionDoesNotExist

import turbo_orm
from tests.testapp.models import Author, Plain
from turbo_orm import open_pools, pool_stats, run_sync
from turbo_orm.transaction import (
    get_rollback,
    in_atomic_block,
    savepoint,
    savepoint_commit,
    savepoint_rollback,
)


async def enter():
    async with turbo_orm.atomic("nope"):
        raise AssertionError("the block was entered")


async def enter_djangos():
    async with transaction.atomic("nope"):
        raise AssertionError("the block was entered")


async def call_decorated():
    @turbo_orm.atomic(using="nope")
    async def decorated():
        raise AssertionError("the block was entered")

    await decorated()


async def stream(manager):
    async for _ in manager.using("nope").aiterator():
        raise AssertionError("there is a row")


async def iterate(manager):
    async for _ in manager.using("nope"):
        raise AssertionError("there is a row")


async def told(function, *args):
    """Call what waits for nothing."""
    return function(*args)


def cursor():
    with connections["nope"].cursor():
        raise AssertionError("there is a cursor")


USES = {
    "open_pools": lambda: open_pools("nope"),
    "open_pools of several": lambda: open_pools("default", "nope"),
    "pool_stats": lambda: told(pool_stats, "nope"),
    "atomic": enter,
    "Django's atomic": enter_djangos,
    "atomic as a decorator": call_decorated,
    "on_commit": lambda: turbo_orm.on_commit(print, using="nope"),
    "set_rollback": lambda: told(turbo_orm.set_rollback, True, "nope"),
    "get_rollback": lambda: told(get_rollback, "nope"),
    "in_atomic_block": lambda: told(in_atomic_block, "nope"),
    "savepoint": lambda: savepoint("nope"),
    "savepoint_commit": lambda: savepoint_commit("s", "nope"),
    "savepoint_rollback": lambda: savepoint_rollback("s", "nope"),
    "alist": lambda: Author.objects.using("nope").alist(),
    "aget": lambda: Author.objects.using("nope").aget(pk=1),
    "acount": lambda: Author.objects.using("nope").acount(),
    "acreate": lambda: Author.objects.using("nope").acreate(name="a"),
    "aupdate": lambda: Author.objects.using("nope").aupdate(name="a"),
    "adelete": lambda: Author.objects.using("nope").filter(pk=1).adelete(),
    "db_manager": lambda: Author.objects.db_manager("nope").afirst(),
    "araw": lambda: Author.objects.araw("SELECT 1 AS id", using="nope"),
    "aiterator": lambda: stream(Author.objects),
    "async for": lambda: iterate(Author.objects),
    "asave": lambda: Author(name="a").asave(using="nope"),
    "adelete of an instance": lambda: Author(pk=1, name="a").adelete(using="nope"),
    "arefresh_from_db": lambda: Author(pk=1).arefresh_from_db(using="nope"),
    "acount, plain": lambda: Plain.objects.using("nope").acount(),
    "acreate, plain": lambda: Plain.objects.using("nope").acreate(name="a"),
    "aiterator, plain": lambda: stream(Plain.objects),
    "async for, plain": lambda: iterate(Plain.objects),
    "asave, plain": lambda: Plain(name="a").asave(using="nope"),
    "connections": lambda: run_sync(cursor),
    "connections on the loop": lambda: told(cursor),
}


@pytest.fixture
def djangos():
    """What plain Django says."""
    with pytest.raises(ConnectionDoesNotExist) as caught:
        Author.objects.using("nope").count()
    return str(caught.value)


@pytest.mark.parametrize("use", USES)
async def test_it_is_djangos_error(use, djangos):
    with pytest.raises(ConnectionDoesNotExist) as caught:
        await USES[use]()

    assert str(caught.value) == djangos
