"""Engines that prepare sessions, sessions that are reset, and settings of a context, together."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import connections
from django.test import override_settings

from tests.engines.adapting.base import Point
from tests.engines.ensuring import base as ensuring
from tests.engines.setting import base as setting
from tests.engines.telling import base as telling
from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import atomic, run_sync, session_settings

ENGINES = "tests.engines"
TENANT = "SELECT coalesce(current_setting('turbo.tenant', true), '')"
TOLD = "SHOW application_name"
PID = "SELECT pg_backend_pid()"
CHANGE = "SET turbo.tenant = 'a change'"


@pytest.fixture
def make_engine(make_alias):
    """Return a function that adds a database with an engine, and one connection for all."""

    def make(name, **settings):
        pool = {"min_size": 1, "max_size": 1}
        return make_alias(ENGINE=f"{ENGINES}.{name}", pool=pool, **settings)

    return make


def value(alias, sql, *params):
    """Return the first value that a statement gives, if it gives any."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0] if cursor.description else None


def chunked(alias):
    with connections[alias].chunked_cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.mark.parametrize("mode", ["auto", "always"])
async def test_what_an_engine_sets_while_it_connects_survives_a_change(make_engine, stack, mode):
    of_turbo = {**settings.TURBO_ORM, "RESET_SESSIONS": mode}
    stack.enter_context(override_settings(TURBO_ORM=of_turbo))
    alias = make_engine("setting")
    before = await run_sync(value, alias, PID)

    await run_sync(value, alias, "SET turbo.tenant = 'mine'; SET statement_timeout = 1")

    assert await run_sync(value, alias, "SHOW statement_timeout") == "43s"
    assert await run_sync(value, alias, TENANT) == ""
    assert await run_sync(value, alias, "SHOW turbo.of_engine") == "mine"
    # DISCARD ALL has undone it, and it was done again.
    assert await run_sync(value, alias, PID) == before


async def test_a_connection_is_closed_if_what_its_engine_did_cannot_be_done_again(
    make_engine, monkeypatch
):
    monkeypatch.setattr(setting.DatabaseWrapper, "manner", "executemany")
    alias = make_engine("setting")
    before = await run_sync(value, alias, PID)

    await run_sync(value, alias, CHANGE)

    assert await run_sync(value, alias, "SHOW turbo.of_engine") == "mine"
    assert await run_sync(value, alias, PID) != before


async def test_a_connection_of_such_an_engine_that_nobody_changes_stays(make_engine):
    alias = make_engine("setting")

    pids = {await run_sync(value, alias, PID) for _ in range(3)}

    assert len(pids) == 1


async def test_a_session_is_reset_if_its_engine_only_registers_adapters(make_engine):
    alias = make_engine("adapting")
    pid = await run_sync(value, alias, PID)

    for _ in range(2):
        await run_sync(value, alias, CHANGE)
        assert await run_sync(value, alias, TENANT) == ""

    assert await run_sync(value, alias, "SELECT (%s)::text", Point(1, 2)) == "(1,2)"
    assert await run_sync(value, alias, PID) == pid


async def test_an_engines_own_kind_of_cursor_has_the_settings_of_the_context(make_engine):
    alias = make_engine("adapting")

    with session_settings(**{"turbo.tenant": 1}):
        assert await run_sync(value, alias, TENANT) == "1"
    assert await run_sync(value, alias, TENANT) == ""


@pytest.mark.parametrize("method", telling.MAKERS)
async def test_what_an_engines_cursor_sets_is_no_change_and_what_its_user_sets_is(
    make_engine, method
):
    alias = make_engine("telling")
    telling.telling[alias] = method

    await run_sync(value, alias, "SELECT nextval('testapp_author_id_seq')")
    # DISCARD ALL would have forgotten the sequence.
    assert await run_sync(value, alias, "SELECT lastval()") is not None
    await run_sync(chunked, alias)
    assert await run_sync(value, alias, TOLD) == "told"
    await run_sync(value, alias, CHANGE)
    assert await run_sync(value, alias, TENANT) == ""


async def test_an_engines_own_ensure_connection_is_called_for_plans_too(make_engine):
    alias = make_engine("ensuring")
    await Author.objects.using(alias).acreate(name="Ada")
    await run_sync(value, alias, PID)

    before = ensuring.times[alias]
    for _ in range(4):
        assert (await Author.objects.using(alias).aget(name="Ada")).name == "Ada"

    assert ensuring.times[alias] - before >= 4


@pytest.mark.needs_thread("the block waited for one")
async def test_a_change_counts_while_a_thread_prepares_a_cursor_of_the_same_block(make_engine):
    alias = make_engine("telling")
    preparing, changed, ended = threading.Event(), threading.Event(), threading.Event()

    def wait():
        if threading.current_thread() is not threading.main_thread():
            preparing.set()
            assert changed.wait(30)

    def work():
        try:
            value(alias, PID)
        finally:
            ended.set()

    telling.meanwhile[alias] = wait
    async with atomic(alias):
        await run_sync(value, alias, PID)
        call = asyncio.ensure_future(sync_to_async(work)())
        await until(preparing.is_set)
        # Else the thread would have the connection to itself; so it goes on beside others.
        call.cancel()
        await asyncio.wait({call})
        # No cursor of the engine's: that would wait as well.
        await run_sync(lambda: connections[alias].connection.execute(CHANGE))
        changed.set()
        await until(ended.is_set)

    assert await run_sync(value, alias, TENANT) == ""


def seen(alias):
    """Return what holds on the session, and which it is."""
    return [value(alias, TENANT), value(alias, TOLD), value(alias, PID)]


async def awaited(alias):
    return await run_sync(seen, alias)


@pytest.mark.needs_thread("the block waits for one")
async def test_settings_hold_in_a_thread_that_a_block_waits_for(make_engine):
    alias = make_engine("telling")

    def in_thread():
        found = [seen(alias), async_to_sync(awaited)(alias)]
        with session_settings(**{"turbo.tenant": 2}):
            return [*found, seen(alias), async_to_sync(awaited)(alias)]

    async with atomic(alias):
        pid = await run_sync(value, alias, PID)
        with session_settings(**{"turbo.tenant": 1}):
            found = [await sync_to_async(in_thread)(), await awaited(alias)]
        found.append(await sync_to_async(seen)(alias))

    one, two, none = ([tenant, "told", pid] for tenant in ("1", "2", ""))
    assert found == [[one, one, two, two], one, none]
    assert await awaited(alias) == none


@pytest.mark.needs_thread("the block waits for one")
@pytest.mark.parametrize("way", ["in the thread", "in its coroutine"])
async def test_a_change_in_a_thread_that_a_block_waits_for_is_undone(make_engine, way):
    alias = make_engine("telling")

    async def change():
        await run_sync(value, alias, CHANGE)

    def in_thread():
        if way == "in the thread":
            value(alias, CHANGE)
        else:
            async_to_sync(change)()
        return seen(alias)

    async with atomic(alias):
        pid = await run_sync(value, alias, PID)
        assert await sync_to_async(in_thread)() == ["a change", "told", pid]

    assert await awaited(alias) == ["", "told", pid]


@pytest.mark.needs_thread("asgiref runs the coroutine in one")
def test_settings_hold_in_a_coroutine_that_a_thread_waits_for(make_engine):
    alias = make_engine("telling")

    async def coroutine():
        found = [await awaited(alias)]
        with session_settings(**{"turbo.tenant": 2}):
            found.append(await awaited(alias))
        return [*found, await awaited(alias)]

    try:
        pid = value(alias, PID)
        with session_settings(**{"turbo.tenant": 1}):
            found = [async_to_sync(coroutine)(), seen(alias)]
        found.append(seen(alias))
        # What a thread does to its session, it means, as in plain Django.
        async_to_sync(run_sync)(value, alias, CHANGE)
        found.append(seen(alias))
    finally:
        connections[alias].close()
        del connections[alias]

    one, two, none, changed = ([tenant, "told", pid] for tenant in ("1", "2", "", "a change"))
    assert found == [[one, two, one], one, none, changed]
