"""A session whose reset or whose settings fail, hang or are interrupted is never lent as it is."""

import asyncio
import time

import pytest
from django.db import connections

from tests.testapp.models import Author
from turbo_orm import atomic, run_sync, session_settings
from turbo_orm.pool import get_pool

TENANT = "SELECT coalesce(current_setting('turbo.tenant', true), '')"


def execute(alias, sql):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture
def alias(make_alias):
    return make_alias(pool={"min_size": 1, "max_size": 1, "timeout": 20})


async def backend(alias):
    return (await run_sync(execute, alias, "SELECT pg_backend_pid()"))[0]


def with_recipe(monkeypatch, alias, **changes):
    pool = get_pool(alias)
    import dataclasses

    monkeypatch.setattr(pool, "_recipe", dataclasses.replace(pool._recipe, **changes))


async def test_a_reset_that_fails_closes_the_connection_and_says_so(alias, monkeypatch, caplog):
    pid = await backend(alias)
    configure = get_pool(alias)._recipe.configure
    failures = [ValueError("no recipe")]

    async def fail_once(connection):
        if failures:
            raise failures.pop()
        await configure(connection)

    with_recipe(monkeypatch, alias, configure=fail_once)
    await run_sync(execute, alias, "SET turbo.tenant = '1'")

    assert await backend(alias) != pid
    assert (await run_sync(execute, alias, TENANT))[0] == ""
    assert (
        f"Closed a connection of database {alias!r}: its session could not be reset: no recipe"
        in (caplog.messages)
    )


async def test_a_reset_that_hangs_is_given_up(alias, monkeypatch):
    pid = await backend(alias)
    configure = get_pool(alias)._recipe.configure
    hanging = [True]

    async def hang_once(connection):
        if hanging:
            hanging.clear()
            await connection.execute("SELECT pg_sleep(600)")
        await configure(connection)

    with_recipe(monkeypatch, alias, configure=hang_once, cleanup_timeout=0.2)
    began = time.monotonic()
    await run_sync(execute, alias, "SET turbo.tenant = '1'")

    assert await backend(alias) != pid
    # Far less than the statement would take.
    assert time.monotonic() - began < 30


async def test_who_cancels_the_borrower_does_not_cancel_the_reset(alias):
    pid = await backend(alias)

    async def change():
        await run_sync(execute, alias, "SET turbo.tenant = '1'")
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(change())
    assert (await run_sync(execute, alias, TENANT))[0] == ""
    assert await backend(alias) == pid


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_at_any_step_it_leaves_no_setting_behind(alias, steps):
    await Author.objects.using(alias).acreate(name="Ada")

    async def operation():
        with session_settings(**{"turbo.tenant": "1"}, search_path="pg_catalog,public"):
            await Author.objects.using(alias).aget(name="Ada")
            await run_sync(execute, alias, "SELECT 1")
            async with atomic(alias):
                await run_sync(execute, alias, "SELECT 1")
            await run_sync(execute, alias, "SET turbo.tenant = '2'")

    task = asyncio.create_task(operation())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})

    assert (await run_sync(execute, alias, TENANT))[0] == ""
    assert (await run_sync(execute, alias, "SHOW search_path"))[0] == '"$user", public'


async def test_an_interrupted_change_is_reset_although_resets_are_off(alias, monkeypatch):
    await backend(alias)
    with_recipe(monkeypatch, alias, reset_sessions=False)
    pool = get_pool(alias)
    connection = await pool.lend()
    session = connection.facade.turbo_session
    with session_settings(**{"turbo.tenant": "1"}):
        change = session.change(connection.info.transaction_status, autocommit=True)
    await connection.execute("SET turbo.tenant = '1'")
    session.failed(change)
    task = pool.take_back(connection)
    assert task is not None
    await task
    assert (await run_sync(execute, alias, TENANT))[0] == ""
