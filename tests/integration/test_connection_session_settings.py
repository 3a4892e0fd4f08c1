"""`session_settings`: what a context wants holds for its statements, and for nobody else's."""

import asyncio
import os

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, transaction

from tests.tenants import (
    SETTING,
    TENANT,
    WAYS,
    awaited,
    execute,
    in_block,
    planned,
    tenant,
    tenant_is,
)
from tests.testapp.models import Author
from turbo_orm import atomic, run_sync, session_settings


@pytest.fixture
def alias(make_alias):
    return make_alias(pool={"min_size": 1, "max_size": 1})


@pytest.mark.parametrize("way", WAYS)
async def test_it_holds_on_each_way_and_for_nobody_else(alias, way):
    await Author.objects.using(alias).acreate(name="Ada")
    for value in ("1", "2"):
        with tenant_is(value):
            assert [await way(alias) for _ in range(3)] == [value] * 3
        assert await way(alias) in ("", None)
        assert await awaited(alias) == ""


async def test_both_kinds_of_with_and_of_functions(alias):
    @tenant_is("3")
    def function():
        return tenant(alias)

    @tenant_is("4")
    async def coroutine_function():
        return await awaited(alias)

    async with tenant_is("5"):
        found = [await awaited(alias), await run_sync(function), await coroutine_function()]
        assert [*found, await awaited(alias)] == ["5", "3", "4", "5"]


async def test_inner_settings_are_added_to_outer_ones_and_win(alias):
    both = "SELECT current_setting('turbo.tenant', true) || current_setting('turbo.user', true)"
    with session_settings(**{"turbo.tenant": 1, "turbo.user": "a"}):
        with tenant_is(2):
            assert await run_sync(tenant, alias, both) == "2a"
        assert await run_sync(tenant, alias, both) == "1a"


async def test_one_object_serves_several_tasks_at_once(alias):
    shared = tenant_is("6")

    async def nested(depth):
        with shared:
            await asyncio.sleep(0)
            found = await awaited(alias)
            return found if not depth else await nested(depth - 1)

    assert await asyncio.gather(*(nested(2) for _ in range(5))) == ["6"] * 5
    assert await awaited(alias) == ""


async def test_gathered_tasks_of_one_block_each_have_their_own(alias):
    async def child(value):
        with tenant_is(value):
            return [await awaited(alias) for _ in range(3)]

    async with atomic(alias):
        found = await asyncio.gather(*(child(str(number)) for number in range(5)))
        assert await awaited(alias) == ""
    assert found == [[str(number)] * 3 for number in range(5)]


@pytest.mark.parametrize("outside", [True, False])
async def test_a_rollback_undoes_nothing_that_is_still_wanted(alias, outside):
    async def roll_back():
        try:
            async with atomic(alias):
                assert await awaited(alias) == ("7" if outside else "")
                with tenant_is("8"):
                    assert await awaited(alias) == "8"
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    if outside:
        with tenant_is("7"):
            await roll_back()
            assert await awaited(alias) == "7"
    else:
        await roll_back()
    assert await awaited(alias) == ""


async def test_a_savepoint_that_is_rolled_back_undoes_nothing_that_is_still_wanted(alias):
    async with atomic(alias):
        with tenant_is("9"):
            try:
                async with atomic(alias):
                    assert await awaited(alias) == "9"
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            assert await awaited(alias) == "9"
        try:
            async with atomic(alias):
                with tenant_is("10"):
                    assert await awaited(alias) == "10"
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        assert await awaited(alias) == ""


async def test_a_block_does_not_inherit_what_held_in_the_last_one(alias):
    def twice():
        with transaction.atomic(alias), tenant_is("11"):
            assert tenant(alias) == "11"
        # The first statement is a savepoint, which needs no setting.
        with transaction.atomic(alias), transaction.atomic(alias):
            return tenant(alias)

    assert await run_sync(twice) == ""


async def test_the_first_statement_of_a_block_may_set_its_isolation(alias):
    async with tenant_is("12"), atomic(alias):
        await run_sync(execute, alias, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        found = await run_sync(tenant, alias, "SHOW transaction_isolation")
        assert (found, await awaited(alias)) == ("serializable", "12")


@pytest.mark.parametrize("statement", ["RESET ALL", "SET turbo.tenant = 'x'", "DISCARD ALL"])
async def test_it_holds_although_somebody_changes_the_session(alias, statement):
    def change():
        execute(alias, statement)
        return tenant(alias)

    with tenant_is("13"):
        assert await awaited(alias) == "13"
        assert await run_sync(change) == "13"
    assert await awaited(alias) == ""


@pytest.mark.parametrize("before", ["outside", "inside"])
async def test_what_raw_sql_sets_holds_although_the_session_once_had_settings(alias, before):
    with tenant_is("13"):
        assert await awaited(alias) == "13"
    assert await awaited(alias) == ""

    async with atomic(alias):
        if before == "inside":
            with tenant_is("14"):
                assert await awaited(alias) == "14"
            assert await awaited(alias) == ""
        await run_sync(execute, alias, "SET turbo.tenant = 'by hand'")
        assert [await awaited(alias) for _ in range(2)] == ["by hand"] * 2

    assert await awaited(alias) == ""


async def test_a_setting_goes_back_to_what_the_session_had(make_alias):
    alias = make_alias(
        options={"options": "-c search_path=pg_catalog,public"}, pool={"min_size": 1, "max_size": 1}
    )
    shown = "SHOW search_path"
    with session_settings(search_path="public"):
        assert await run_sync(tenant, alias, shown) == "public"
    assert await run_sync(tenant, alias, shown) == "pg_catalog,public"


async def test_a_configured_role_comes_back(make_alias, role):
    alias = make_alias(options={"assume_role": role}, pool={"min_size": 1, "max_size": 1})
    shown = "SELECT current_user"
    with session_settings(role="pg_read_all_data", **{"turbo.tenant": 1}):
        assert await run_sync(tenant, alias, shown) == "pg_read_all_data"
    assert await run_sync(tenant, alias, shown) == role


@pytest.fixture
def role():
    name = f"turbo_settings_{os.getpid()}"
    execute("default", f"CREATE ROLE {name}; GRANT pg_read_all_data TO {name}")
    yield name
    execute("default", f"DROP ROLE {name}")


async def test_values_are_data(alias):
    strange = "'; DROP TABLE testapp_author; -- %s \\ \" ü"
    with tenant_is(strange):
        assert await awaited(alias) == strange
        await Author.objects.using(alias).acreate(name="Ada")
        assert await planned(alias) == await planned(alias) == strange


@pytest.mark.parametrize("value", ["not_a_number", "-1"])
async def test_what_postgresql_refuses_is_an_error_and_then_gone(alias, value):
    for way in (awaited, in_block, planned):
        with session_settings(statement_timeout=value), pytest.raises(DatabaseError):
            await way(alias)
    assert await awaited(alias) == ""


async def test_a_pooler_of_transactions_is_refused_outside_of_them(make_alias):
    alias = make_alias(DISABLE_SERVER_SIDE_CURSORS=True, pool={"min_size": 1, "max_size": 1})
    await Author.objects.using(alias).acreate(name="Ada")
    with tenant_is("14"):
        with pytest.raises(ImproperlyConfigured, match="DISABLE_SERVER_SIDE_CURSORS"):
            await awaited(alias)
        # In one string with its settings, a planned statement is a transaction of its own.
        async with atomic(alias):
            await planned(alias)
            await planned(alias)
        assert [await planned(alias) for _ in range(3)] == ["14"] * 3
        assert await in_block(alias) == "14"
    assert await awaited(alias) == ""


async def test_a_pipeline_has_it(alias):
    def pipeline():
        connections[alias].ensure_connection()
        raw = connections[alias].connection
        with raw.pipeline():
            before = raw.execute("SELECT 1")
            with tenant_is("15"):
                inside = raw.execute(TENANT)
            after = raw.execute(TENANT)
            return before.fetchone()[0], inside.fetchone()[0], after.fetchone()[0]

    assert await run_sync(pipeline) == (1, "15", "")


# Threads: the connections are plain Django's.


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"a b": 1}, ValueError, "'a b', which is no name"),
        ({"x'; DROP": 1}, ValueError, "no name of a PostgreSQL setting"),
        ({"": 1}, ValueError, "no name"),
        ({"TimeZone": "UTC"}, ValueError, "cannot change 'TimeZone'"),
        ({"transaction_isolation": "x"}, ValueError, "SET TRANSACTION"),
        ({"role": None}, TypeError, "was given None for 'role'"),
        ({"search_path": ["a"]}, TypeError, "for 'search_path'"),
    ],
)
def test_what_is_no_setting_is_refused_at_once(settings, error, message):
    with pytest.raises(error, match=message):
        session_settings(**settings)


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (True, "true"), (False, "false"), (1.5, "1.5"), ("a", "a")]
)
def test_values_are_written_as_postgresql_reads_them(value, text):
    with tenant_is(value):
        assert tenant() == text


def test_a_generator_has_it_and_who_reads_it_has_not():
    closed = []

    @tenant_is(1)
    def generator():
        try:
            while True:
                yield tenant()
        finally:
            closed.append(tenant())

    values = generator()
    assert [next(values), tenant(), next(values), tenant()] == ["1", "", "1", ""]
    values.close()
    assert [*closed, tenant()] == ["1", ""]


async def test_an_asynchronous_generator_has_it_and_who_reads_it_has_not(alias):
    closed = []

    @tenant_is(1)
    async def generator():
        try:
            for _ in range(2):
                yield await awaited(alias)
        finally:
            closed.append(await awaited(alias))

    assert [(value, await awaited(alias)) async for value in generator()] == [("1", "")] * 2
    assert [*closed, await awaited(alias)] == ["1", ""]


async def test_another_s_iterable_has_it_when_it_is_read(alias):
    rows = Author.objects.using(alias).annotate(tenant=SETTING).values_list("tenant", flat=True)
    await Author.objects.using(alias).acreate(name="Ada")
    read = tenant_is(2).iterate(rows.aiterator())
    assert [(value, await awaited(alias)) async for value in read] == [("2", "")]


async def test_the_direct_way_has_it_in_one_round_trip(alias, monkeypatch):
    await Author.objects.using(alias).acreate(name="Ada")
    for _ in range(3):
        await planned(alias)
    sent = []
    execute = psycopg.AsyncClientCursor.execute

    async def noting(cursor, query, *args, **kwargs):
        sent.append(query)
        return await execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncClientCursor, "execute", noting)
    for value in ("1", "2"):
        with tenant_is(value):
            assert await planned(alias) == value
    assert [query.partition(";")[0] for query in sent] == [
        "SELECT pg_catalog.set_config(%s, %s, true)"
    ] * 2
    with tenant_is("2"):  # the same again: the session keeps it
        assert [await planned(alias), await planned(alias)] == ["2", "2"]
    assert len(sent) == 5
    assert [query for query in sent[2:] if "set_config" in query] == [sent[2]]
    assert await planned(alias) == ""
    assert await planned(alias) == ""
    assert len(sent) == 8


# Row-level security under load.

TENANTS = 8


@pytest.fixture
def secured():
    """A table of which each tenant sees its rows only, and a role that is subject to that."""
    name = f"turbo_tenants_{os.getpid()}"
    execute(
        "default",
        f"CREATE TABLE {name} (tenant int); "
        f"INSERT INTO {name} SELECT n % {TENANTS} FROM generate_series(1, 100 * {TENANTS}) n; "
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; "
        f"CREATE POLICY own ON {name} USING "
        "(tenant = nullif(current_setting('turbo.tenant', true), '')::int); "
        f"CREATE ROLE {name}; GRANT SELECT ON {name} TO {name}; "
        f"GRANT SELECT ON testapp_author TO {name}",
    )
    yield name
    execute("default", f"DROP TABLE {name}; DROP OWNED BY {name}; DROP ROLE {name}")


async def test_320_requests_of_8_tenants_see_their_own_rows_only(make_alias, secured):
    alias = make_alias(pool={"min_size": 1, "max_size": 4, "timeout": 50})
    query = f"SELECT array_agg(DISTINCT tenant), count(*) FROM {secured}"

    def look():
        with connections[alias].cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()

    def iterate():
        with connections[alias].chunked_cursor() as cursor:
            cursor.execute(f"SELECT tenant FROM {secured}")
            pages = iter(lambda: cursor.fetchmany(40), [])
            found = [tenant for page in pages for (tenant,) in page]
            return sorted(set(found)), len(found)

    async def block():
        async with atomic(alias):
            await run_sync(look)
            return await run_sync(look)

    async def rolled_back():
        try:
            async with atomic(alias):
                await run_sync(look)
                raise ZeroDivisionError
        except ZeroDivisionError:
            return await run_sync(look)

    async def gathered():
        found = await asyncio.gather(run_sync(look), run_sync(look))
        return found[0] if found[0] == found[1] else found

    async def without():
        # Between the others, somebody who wants nothing.
        return await run_sync(tenant, alias)

    kinds = [lambda: run_sync(look), lambda: run_sync(iterate), block, rolled_back, gathered]

    async def request(number):
        own = number % TENANTS
        if number % 11 == 0:
            return [await without(), ""]
        with session_settings(role=secured, **{"turbo.tenant": own}):
            found = await kinds[number % len(kinds)]()
            return [(list(found[0]), found[1]), ([own], 100)]

    answers = await asyncio.gather(*map(request, range(320)))
    assert [answer for answer in answers if answer[0] != answer[1]] == []
