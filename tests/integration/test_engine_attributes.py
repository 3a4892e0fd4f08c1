"""What is set on wrappers: of engines that write themselves, and of Django's own engines."""

import asyncio
import importlib.util
import itertools

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.utils import load_backend

from tests.integration.test_engine_hooks import IN_THREADS, in_thread, one
from turbo_orm import atomic, run_sync
from turbo_orm.connection.carried import Carried
from turbo_orm.connection.engine import ASYNC_ENGINE, bridged_class

PLAIN = ["django.db.backends.postgresql"]
if importlib.util.find_spec("django_async_backend"):
    PLAIN.append(ASYNC_ENGINE)

# Once somebody has set a name on a wrapper of Django's own, it stays known.
names = (f"mark_{number}" for number in itertools.count())


@pytest.mark.parametrize("engine", PLAIN)
def test_a_plain_engine_pays_nothing_for_attributes_that_nobody_sets(engine):
    plain = load_backend(engine).DatabaseWrapper
    # One of its own, since other tests do set some.
    kind = bridged_class(type("DatabaseWrapper", (plain,), {"__module__": plain.__module__}))

    carried = [name for owner in kind.__mro__ for name in vars(owner) if is_carried(owner, name)]

    assert carried == []
    assert kind.__setattr__ is object.__setattr__


def is_carried(owner, name):
    return isinstance(vars(owner)[name], Carried)


def write(alias, name, value):
    setattr(connections[alias], name, value)
    return getattr(connections[alias], name)


@pytest.mark.needs_thread(IN_THREADS)
async def test_an_engines_own_setattr_is_called(make_alias):
    alias = make_alias(ENGINE="tests.engines.writing", pool={"max_size": 2})

    async def in_block():
        async with atomic(alias):
            return await sync_to_async(write)(alias, "tenant", "ADA")

    async def on_loop():
        return write(alias, "tenant", "ADA")

    ways = [run_sync(write, alias, "tenant", "ADA"), in_block(), on_loop()]
    found = await asyncio.gather(*map(asyncio.ensure_future, ways))

    assert found == [await in_thread(write, alias, "tenant", "ADA")] * 3 == ["ada"] * 3
    assert connections[alias].tenant == "nobody"


async def set_in_job(alias, name, value):
    await run_sync(write, alias, name, value)


async def set_on_loop(alias, name, value):
    write(alias, name, value)


async def set_in_block(alias, name, value):
    async with atomic(alias):
        await run_sync(write, alias, name, value)


async def set_in_thread(alias, name, value):
    async with atomic(alias):
        await sync_to_async(write)(alias, name, value)


@pytest.mark.needs_thread("one of the ways is through one")
@pytest.mark.parametrize("put", [set_in_job, set_on_loop, set_in_block, set_in_thread])
async def test_what_is_set_on_a_wrapper_of_djangos_own_is_its_tasks_alone(make_alias, put):
    alias, name = make_alias(pool={"max_size": 2}), next(names)

    def read():
        return getattr(connections[alias], name, None)

    async def read_everywhere():
        async with atomic(alias):
            in_block = [await run_sync(read), await sync_to_async(read)()]
        return [read(), await run_sync(read), *in_block]

    async def task(value):
        before = await read_everywhere()
        await put(alias, name, value)
        return before, await read_everywhere()

    for _ in range(2):
        found = await asyncio.gather(*(asyncio.create_task(task(value)) for value in range(5)))
        assert found == [([None] * 4, [value] * 4) for value in range(5)]
    assert await read_everywhere() == [None] * 4


@pytest.mark.needs_thread(IN_THREADS)
async def test_what_a_receiver_sets_on_a_new_connection_is_there_for_each_operation(make_alias):
    alias, name = make_alias(pool={"min_size": 1, "max_size": 1}), next(names)

    def receiver(connection, **kwargs):
        if connection.alias == alias:
            setattr(connection, name, "of the connection")

    def read(alias):
        one("SELECT 1", alias)
        return getattr(connections[alias], name)

    connection_created.connect(receiver)
    try:
        ours = [await run_sync(read, alias) for _ in range(2)]
        assert ours == [await in_thread(read, alias)] * 2 == ["of the connection"] * 2
    finally:
        connection_created.disconnect(receiver)
