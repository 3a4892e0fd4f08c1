"""Whatever an operation does to its session, the next one finds it as a new one."""

import asyncio
import json
from contextlib import suppress

import psycopg
import pytest
from django.db import connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.models import CharField, Value
from django.db.models.expressions import Func, RawSQL
from psycopg import sql
from psycopg.rows import dict_row

from tests.testapp.models import Author
from turbo_orm import atomic, eager, portal, run_sync

# What a session has that another may not have. A library stays loaded, with settings of its own.
SNAPSHOT = """
SELECT
    (SELECT jsonb_object_agg(name, ARRAY[setting, source]) FROM pg_catalog.pg_settings
     WHERE name NOT LIKE 'plpgsql.%'),
    (SELECT coalesce(pg_catalog.current_setting('turbo.tenant', true), '')),
    ARRAY(SELECT pg_catalog.pg_listening_channels()),
    ARRAY(SELECT relname::text FROM pg_catalog.pg_class
          WHERE relnamespace = pg_catalog.pg_my_temp_schema()),
    ARRAY(SELECT objid::text FROM pg_catalog.pg_locks
          WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()),
    ARRAY(SELECT name::text FROM pg_catalog.pg_prepared_statements),
    ARRAY(SELECT name::text FROM pg_catalog.pg_cursors WHERE is_holdable),
    ARRAY[current_user::text, session_user::text]
"""

COMMANDS = [
    "SET search_path TO pg_catalog",
    "SET TIME ZONE 'Asia/Tokyo'",
    "SET ROLE pg_read_all_data",
    "SET SESSION AUTHORIZATION pg_read_all_data",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET turbo.tenant = '7'",
    "LISTEN turbo_channel",
    "PREPARE turbo_statement AS SELECT 1",
    "CREATE TEMPORARY TABLE turbo_temporary (id int)",
    "DECLARE turbo_cursor CURSOR WITH HOLD FOR SELECT 1",
    "DO $$ BEGIN PERFORM set_config('turbo.tenant', '7', false); END $$",
    "SELECT 1; /* two */ SET statement_timeout = 50000",
    "WITH s AS (SELECT pg_advisory_lock(7)) SELECT * FROM s",
]
FUNCTIONS = [
    "set_config('turbo.tenant', '7', false)",
    "set_config('search_path', 'pg_catalog', false)",
    "pg_advisory_lock(7)::text",
    "pg_try_advisory_lock_shared(7)::text",
]


@pytest.fixture
def alias(make_alias):
    """A database whose pool has one connection: the next operation has the last one's session."""
    return make_alias(pool={"min_size": 1, "max_size": 1})


def backend(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def snapshot(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute(SNAPSHOT)
        return cursor.fetchone()


def plain_snapshot(alias):
    """Return what a new session of plain Django's has."""
    wrapper = DatabaseWrapper(connections.settings[alias], alias)
    try:
        with wrapper.cursor() as cursor:
            cursor.execute(SNAPSHOT)
            return cursor.fetchone()
    finally:
        wrapper.close()


def by_cursor(alias, statement):
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)


def by_composed(alias, statement):
    by_cursor(alias, sql.SQL("{}").format(sql.SQL(statement)))


def by_bytes(alias, statement):
    by_cursor(alias, statement.encode())


def by_psycopg(alias, statement):
    connections[alias].ensure_connection()
    connections[alias].connection.execute(statement)


def in_block(alias, statement):
    with transaction.atomic(alias):
        by_cursor(alias, statement)


def in_rolled_back_block(alias, statement):
    with suppress(ZeroDivisionError), transaction.atomic(alias):
        by_cursor(alias, statement)
        raise ZeroDivisionError


async def awaited_block(alias, statement):
    async with atomic(alias):
        await run_sync(by_cursor, alias, statement)


async def by_eager(alias, statement):
    rest = eager(by_cursor, alias, statement)
    if rest is not None:
        await rest


async def by_portal(alias, statement):
    async def operation():
        by_cursor(alias, statement)
        await asyncio.sleep(0)

    await portal(operation())


SYNCHRONOUS = [by_cursor, by_composed, by_bytes, by_psycopg, in_block, in_rolled_back_block]
AWAITED = [awaited_block, by_eager, by_portal]


async def assert_each_leaves_no_trace(alias, way, statements):
    expected = await run_sync(plain_of_thread, alias)
    assert await run_sync(snapshot, alias) == expected
    pid = await run_sync(backend, alias)

    traces = {}
    for statement in statements:
        if way in AWAITED:
            await way(alias, statement)
        else:
            await run_sync(way, alias, statement)
        found = await run_sync(snapshot, alias)
        if found != expected:
            traces[statement] = found

    assert traces == {}
    # It was reset and not closed.
    assert await run_sync(backend, alias) == pid


def plain_of_thread(alias):
    # psycopg's synchronous connection waits without the loop, for a moment.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        return plain_snapshot(alias)


@pytest.mark.parametrize("way", SYNCHRONOUS + AWAITED)
async def test_no_command_leaves_a_trace(alias, way):
    await assert_each_leaves_no_trace(alias, way, COMMANDS)


def by_raw(alias, function):
    list(Author.objects.using(alias).raw(f"SELECT 1 AS id, {function} AS changed"))


def by_raw_sql(alias, function):
    rows = Author.objects.using(alias).annotate(changed=RawSQL(function, ()))
    assert len(rows) == 1


def by_copy(alias, function):
    statement = f"COPY (SELECT {function}) TO STDOUT"
    with connections[alias].cursor() as cursor, cursor.copy(statement) as copy:
        assert len(list(copy)) == 1


def by_executemany(alias, function):
    with connections[alias].cursor() as cursor:
        cursor.executemany(f"SELECT {function} WHERE %s < 3", [[1], [2]])


def by_server_side_cursor(alias, function):
    with transaction.atomic(alias), connections[alias].chunked_cursor() as cursor:
        cursor.execute(f"SELECT {function}")
        cursor.fetchall()


def by_held_cursor(alias, function):
    with connections[alias].chunked_cursor() as cursor:
        cursor.execute(f"SELECT {function}")
        cursor.fetchall()


def by_stream(alias, function):
    connections[alias].ensure_connection()
    assert len(list(connections[alias].connection.cursor().stream(f"SELECT {function}"))) == 1


async def awaited_annotation(alias, function):
    rows = Author.objects.using(alias).annotate(changed=RawSQL(function, ()))
    for _ in range(3):  # the third time by a plan, if there were one
        assert len(await rows.all().alist()) == 1


async def awaited_stream(alias, function):
    rows = Author.objects.using(alias).annotate(changed=RawSQL(function, ()))
    assert len([row async for row in rows.aiterator()]) == 1


WAYS = [
    *(by_raw, by_raw_sql, by_copy, by_executemany, by_server_side_cursor, by_held_cursor),
    *(by_stream, awaited_annotation, awaited_stream),
]
AWAITED += [awaited_annotation, awaited_stream]


@pytest.mark.parametrize("way", WAYS)
async def test_no_function_leaves_a_trace(alias, way):
    await Author.objects.using(alias).acreate(name="Ada")
    await assert_each_leaves_no_trace(alias, way, FUNCTIONS)


async def test_a_function_of_django_s_leaves_no_trace_on_the_direct_way(alias):
    await Author.objects.using(alias).acreate(name="Ada")
    expected = await run_sync(snapshot, alias)
    call = Func(
        Value("turbo.tenant"),
        Value("7"),
        Value(False),
        function="set_config",
        output_field=CharField(),
    )

    for _ in range(4):
        assert await Author.objects.using(alias).annotate(c=call).values_list("c").alist() == [
            ("7",)
        ]
        assert await run_sync(snapshot, alias) == expected


async def test_a_held_cursor_of_psycopg_s_is_gone(alias):
    def hold():
        connections[alias].ensure_connection()
        cursor = connections[alias].connection.cursor("turbo_held", withhold=True)
        cursor.execute("SELECT 1")
        # What drops it without closing it would be warned.
        psycopg.Cursor.close(cursor)

    expected = await run_sync(snapshot, alias)
    await run_sync(hold)
    assert await run_sync(snapshot, alias) == expected


def set_rows(connection):
    connection.row_factory = dict_row


def set_cursors(connection):
    connection.cursor_factory = psycopg.RawCursor


def set_preparing(connection):
    connection.prepare_threshold, connection.prepared_max = 0, 1


def add_notice_handler(connection):
    connection.add_notice_handler(print)


@pytest.mark.parametrize("change", [set_rows, set_cursors, set_preparing, add_notice_handler])
async def test_what_is_set_on_the_connection_itself_leaves_no_trace(alias, change):
    def changing():
        connections[alias].ensure_connection()
        change(connections[alias].connection)

    def attributes():
        connections[alias].ensure_connection()
        plain = connections[alias].connection
        return (
            *(plain.row_factory, plain.cursor_factory, plain.prepare_threshold),
            *(plain.prepared_max, len(plain._notice_handlers)),
            *(backend(alias), snapshot(alias)),
        )

    expected = await run_sync(attributes)
    await run_sync(changing)
    assert await run_sync(attributes) == expected


async def test_what_a_pool_s_own_configure_sets_on_the_connection_stays(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 1, "configure": configure})

    def threshold():
        connections[alias].ensure_connection()
        return connections[alias].connection.prepare_threshold

    assert [await run_sync(threshold) for _ in range(2)] == [7, 7]


def configure(connection):
    connection.prepare_threshold = 7


async def test_statements_that_psycopg_prepared_are_forgotten(make_alias):
    alias = make_alias(
        pool={"min_size": 1, "max_size": 1},
        options={"server_side_binding": True, "prepare_threshold": 0},
    )
    await Author.objects.using(alias).acreate(name="Ada")
    for _ in range(3):
        assert (await Author.objects.using(alias).aget(name="Ada")).name == "Ada"
        await run_sync(by_cursor, alias, "SET search_path TO public")


@pytest.mark.parametrize("keeps", ["SELECT 'SET a'", "SET LOCAL statement_timeout = 5"])
async def test_what_changes_nothing_is_not_reset(alias, keeps):
    def numbers():
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT nextval('testapp_author_id_seq')")
            cursor.execute(keeps)

    await run_sync(numbers)
    # DISCARD ALL would have forgotten it.
    await run_sync(by_cursor, alias, "SELECT lastval()")


async def test_an_engine_s_own_cursor_is_no_change(alias, monkeypatch):
    plain = DatabaseWrapper._cursor

    class Engine(DatabaseWrapper):
        def _cursor(self, name=None):
            cursor = plain(self, name)
            with plain(self) as other:
                other.execute("SET search_path TO public")
            return cursor

    from turbo_orm.connection import engine

    monkeypatch.setattr(engine, "engine_class", lambda alias: Engine)
    engine.forget_wrappers()
    try:
        await run_sync(by_cursor, alias, "SELECT nextval('testapp_author_id_seq')")
        await run_sync(by_cursor, alias, "SELECT lastval()")
    finally:
        monkeypatch.undo()
        engine.forget_wrappers()


async def test_receivers_of_connection_created_prepare_the_session_again(alias):
    from django.db.backends.signals import connection_created

    def prepare(connection, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 41000")

    connection_created.connect(prepare)
    try:
        await run_sync(by_cursor, alias, "SET statement_timeout = 42000")
        after = await run_sync(snapshot, alias)
    finally:
        connection_created.disconnect(prepare)
    assert json.loads(after[0])["statement_timeout"] == ["41000", "session"]


async def test_hooks_that_receivers_add_are_called_once_after_a_reset(alias):
    from django.db.backends.signals import connection_created

    called = []

    def note(execute, sql, *args):
        called.append(sql)
        return execute(sql, *args)

    def add(connection, **kwargs):
        connection.execute_wrappers.append(note)

    connection_created.connect(add)
    try:
        for _ in range(2):
            await run_sync(by_cursor, alias, "SET statement_timeout = 42000")
        called.clear()
        await run_sync(by_cursor, alias, "SELECT 1")
    finally:
        connection_created.disconnect(add)
    assert called == ["SELECT 1"]


async def test_always_resets_what_no_one_can_see(make_alias, settings_of_turbo):
    settings_of_turbo(RESET_SESSIONS="always")
    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    await run_sync(by_cursor, alias, HIDDEN)
    expected = await run_sync(snapshot, alias)
    await run_sync(by_cursor, alias, "SELECT pg_temp_free_change()")
    assert await run_sync(snapshot, alias) == expected


async def test_off_leaves_sessions_as_they_are(make_alias, settings_of_turbo):
    settings_of_turbo(RESET_SESSIONS=False)
    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    await run_sync(by_cursor, alias, "SET turbo.tenant = '7'")
    assert (await run_sync(snapshot, alias))[1] == "7"


HIDDEN = """
CREATE OR REPLACE FUNCTION pg_temp_free_change() RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN set_config('turbo.tenant', '7', false); END $$
"""


@pytest.fixture
def settings_of_turbo():
    from django.conf import settings

    from turbo_orm.conf import get_settings

    before = dict(settings.TURBO_ORM)

    def change(**values):
        settings.TURBO_ORM.update(values)
        get_settings.cache_clear()

    yield change
    settings.TURBO_ORM.clear()
    settings.TURBO_ORM.update(before)
    get_settings.cache_clear()
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS pg_temp_free_change()")


async def test_many_at_once_find_no_trace(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 4})

    async def operation(number):
        if number % 3 == 0:
            await run_sync(by_cursor, alias, f"SET turbo.tenant = '{number}'")
            return ""
        return (await run_sync(snapshot, alias))[1]

    assert set(await asyncio.gather(*map(operation, range(60)))) == {""}


async def test_a_broken_session_is_closed(alias, caplog):
    pid = await run_sync(backend, alias)

    def end():
        by_cursor(alias, "SET turbo.tenant = '7'")
        with suppress(psycopg.Error, Exception):
            by_cursor(alias, "SELECT pg_terminate_backend(pg_backend_pid())")

    await run_sync(end)
    assert await run_sync(backend, alias) != pid
