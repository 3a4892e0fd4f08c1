"""What DATABASES says holds for pooled connections too."""

import asyncio
import os
import sys
from contextlib import contextmanager, suppress
from zoneinfo import ZoneInfo

import django
import psycopg
import pytest
from django.db import connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.signals import connection_created
from django.test.utils import override_settings

from tests.testapp.models import Article, Author
from turbo_orm import atomic, close_pools, open_pools, pool_stats, portal, run_sync
from turbo_orm.connection.engine import ASYNC_ENGINE, bridged_class
from turbo_orm.connection.recipe import connection_parameters

needs_async_backend = pytest.mark.skipif(
    sys.version_info < (3, 12) or django.VERSION < (5,),
    reason="django-async-backend needs Python 3.12 and Django 5",
)


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@contextmanager
def receiver_of_connection_created(receiver):
    connection_created.connect(receiver, weak=False)
    try:
        yield
    finally:
        connection_created.disconnect(receiver)


@pytest.fixture
def role():
    """A role without the right to log in; for tests that ask for it before they make an alias."""
    name = f"turbo_assumed_{os.getpid()}"
    with connections["default"].cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
    yield name
    with connections["default"].cursor() as cursor:
        cursor.execute(f"DROP ROLE {name}")


@pytest.fixture
def login():
    """A role with a difficult name and a difficult password."""
    name, password = f"turbo o'role {os.getpid()}", r"""pass 'word" with\ all = of?it"""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                psycopg.sql.Identifier(name), psycopg.sql.Literal(password)
            )
        )
    yield name, password
    with connections["default"].cursor() as cursor:
        cursor.execute(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(name)))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", None])
async def test_the_time_zone_of_the_database_is_the_session_s(make_alias, zone):
    alias = make_alias(TIME_ZONE=zone)
    expected = zone or "UTC"
    assert await run_sync(one, "SHOW timezone", alias) == expected


async def test_with_use_tz_times_are_aware(make_alias):
    alias = make_alias(TIME_ZONE="Asia/Tokyo")
    author = await Author.objects.acreate(name="a")
    article = await Article.objects.acreate(title="t", author=author)
    read = await Article.objects.using(alias).aget(pk=article.pk)
    assert read.created == article.created
    assert read.created.tzinfo == ZoneInfo("Asia/Tokyo")


async def test_without_use_tz_times_are_naive_and_local():
    author = await Author.objects.acreate(name="a")
    article = await Article.objects.acreate(title="t", author=author)
    with override_settings(USE_TZ=False, TIME_ZONE="Asia/Tokyo"):
        assert await run_sync(one, "SHOW timezone") == "Asia/Tokyo"
        read = await Article.objects.aget(pk=article.pk)
        await close_pools()
    local = article.created.astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None)
    assert read.created == local
    assert await run_sync(one, "SHOW timezone") == "UTC"


async def test_the_role_is_assumed_on_every_connection(role, make_alias):
    alias = make_alias(options={"assume_role": role}, pool={"max_size": 2})
    sql = "SELECT current_user FROM pg_sleep(0.02)"
    assert await asyncio.gather(*(run_sync(one, sql, alias) for _ in range(4))) == [role] * 4


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (psycopg.IsolationLevel.SERIALIZABLE, "serializable"),
        (psycopg.IsolationLevel.REPEATABLE_READ.value, "repeatable read"),
        (None, "read committed"),
    ],
)
async def test_the_isolation_level_holds_in_every_transaction(make_alias, level, name):
    alias = make_alias(options={"isolation_level": level} if level else {}, pool={"max_size": 1})

    def synchronous():
        with transaction.atomic(alias):
            return one("SHOW transaction_isolation", alias)

    assert await run_sync(synchronous) == name
    for _ in range(2):
        async with atomic(alias):
            assert await run_sync(one, "SHOW transaction_isolation", alias) == name


async def test_an_isolation_level_set_for_one_operation_ends_with_it(make_alias):
    alias = make_alias(pool={"max_size": 1})

    def serializable():
        connections[alias].ensure_connection()
        connections[alias].connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        with transaction.atomic(alias):
            return one("SHOW transaction_isolation", alias)

    assert await run_sync(serializable) == "serializable"
    async with atomic(alias):
        assert await run_sync(one, "SHOW transaction_isolation", alias) == "read committed"


@pytest.mark.parametrize("server_side", [False, True])
async def test_parameters_are_bound_where_the_setting_says(make_alias, server_side):
    alias = make_alias(options={"server_side_binding": server_side}, pool={"max_size": 1})

    def executed():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT query, %s FROM pg_stat_activity WHERE pid = pg_backend_pid()", [7]
            )
            return cursor.fetchone()

    query, value = await run_sync(executed)
    assert ("$1" in query, int(value)) == (server_side, 7)
    assert await Author.objects.using(alias).filter(age=7).acount() == 0


async def test_statements_are_prepared_after_as_many_uses_as_the_threshold_says(make_alias):
    counts = {}
    for threshold in (None, 2):
        options = {"server_side_binding": True, "prepare_threshold": threshold}
        alias = make_alias(options=options, pool={"max_size": 1})
        for age in range(5):
            await Author.objects.using(alias).filter(age=age).alist()
        sql = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%testapp_author%'"
        counts[threshold] = await run_sync(one, sql, alias)
    assert counts == {None: 0, 2: 1}


async def test_passwords_and_names_may_have_every_character(login, make_alias):
    name, password = login
    # Another connection might still be on its way when the role is gone.
    alias = make_alias(USER=name, PASSWORD=password, pool={"min_size": 1, "max_size": 1})
    parameters = connection_parameters(alias)
    assert (parameters["user"], parameters["password"]) == (name, password)
    assert await run_sync(one, "SELECT current_user", alias) == name

    def given():
        connections[alias].ensure_connection()
        connection = connections[alias].connection
        return connection.info.password, connection.info.user

    assert await run_sync(given) == (password, name)


async def test_a_service_names_the_server(make_alias, tmp_path, monkeypatch):
    settings = connections.settings["default"]
    lines = ["[turbo]", f"dbname={settings['NAME']}", "application_name=by-service"]
    for key, name in (
        ("HOST", "host"),
        ("PORT", "port"),
        ("USER", "user"),
        ("PASSWORD", "password"),
    ):
        if settings[key]:
            lines.append(f"{name}={settings[key]}")
    file = tmp_path / "pg_service.conf"
    file.write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    alias = make_alias(
        NAME="", HOST="", PORT="", USER="", PASSWORD="", options={"service": "turbo"}
    )

    assert await run_sync(one, "SHOW application_name", alias) == "by-service"
    assert await run_sync(one, "SELECT current_database()", alias) == settings["NAME"]


async def test_further_options_reach_libpq(make_alias):
    alias = make_alias(
        options={"application_name": "an app's name", "options": "-c statement_timeout=1234"}
    )
    assert await run_sync(one, "SHOW application_name", alias) == "an app's name"
    assert await run_sync(one, "SHOW statement_timeout", alias) == "1234ms"


async def test_without_autocommit_an_operation_outside_a_block_is_rolled_back(make_alias):
    alias = make_alias(AUTOCOMMIT=False, pool={"max_size": 1})

    def create_and_count():
        Author.objects.using(alias).create(name="gone")
        return Author.objects.using(alias).count()

    assert await run_sync(create_and_count) == 1
    assert await Author.objects.acount() == 0

    def create_and_commit():
        Author.objects.using(alias).create(name="kept")
        connections[alias].commit()

    await run_sync(create_and_commit)
    assert [author.name for author in await Author.objects.alist()] == ["kept"]


def around_block(alias, end):
    """Write before, in and after a block with autocommit off; return what is seen meanwhile."""
    write, seen = writer(alias)
    is_on = connections[alias].settings_dict["AUTOCOMMIT"]
    if is_on:
        connections[alias].set_autocommit(False)
    write("before")
    with transaction.atomic(alias):
        write("in the block")
    write("after")
    end(alias)
    with suppress(ZeroDivisionError), transaction.atomic(alias):
        write("undone")
        raise ZeroDivisionError
    write("last")
    end(alias)
    if is_on:
        connections[alias].set_autocommit(True)
    return seen


async def around_awaited_block(alias, end):
    write, seen = writer(alias)
    is_on = connections[alias].settings_dict["AUTOCOMMIT"]
    if is_on:
        connections[alias].set_autocommit(False)
    write("before")
    async with atomic(alias):
        write("in the block")
    write("after")
    end(alias)
    with suppress(ZeroDivisionError):
        async with atomic(alias):
            write("undone")
            raise ZeroDivisionError
    write("last")
    end(alias)
    if is_on:
        connections[alias].set_autocommit(True)
    return seen


def writer(alias):
    """Return a function that writes a row, and the list of what it sees after each."""

    def write(name):
        Author.objects.using(alias).create(name=name)
        sessions.setdefault(one("SELECT pg_backend_pid()", alias), len(sessions))
        session = sessions[one("SELECT pg_backend_pid()", alias)]
        there = connections[alias]
        names = sorted(Author.objects.using(alias).values_list("name", flat=True))
        seen.append((session, there.in_atomic_block, there.get_autocommit(), names))

    sessions, seen = {}, []
    return write, seen


async def in_job(alias, end):
    return await run_sync(around_block, alias, end)


async def in_portal(alias, end):
    return await portal(around_awaited_block(alias, end))


@pytest.mark.parametrize("end", [transaction.commit, transaction.rollback])
@pytest.mark.parametrize("settings", [{}, {"AUTOCOMMIT": False}])
@pytest.mark.needs_thread("Django itself is asked there")
async def test_without_autocommit_a_transaction_goes_on_after_a_block_as_in_django(
    settings, end, make_alias
):
    def plain():
        try:
            return around_block(alias, end)
        finally:
            connections[alias].close()

    async def left():
        names = [author.name for author in await Author.objects.order_by("name").alist()]
        await Author.objects.all().adelete()
        return names

    alias = make_alias(pool={"max_size": 2}, **settings)
    expected = await asyncio.to_thread(plain), await left()

    for place in (in_job, in_portal):
        assert (await place(alias, end), await left()) == expected
    kept = ["after", "before", "in the block", "last"]
    assert expected[1] == (kept if end is transaction.commit else [])


async def test_persistent_connections_make_no_difference_to_pooled_ones(make_alias):
    alias = make_alias(CONN_MAX_AGE=0, pool={"max_size": 1})
    pids = {await run_sync(one, "SELECT pg_backend_pid()", alias) for _ in range(3)}
    assert len(pids) == 1


@needs_async_backend
async def test_the_engine_of_django_async_backend_gives_the_same(role, make_alias):
    from django_async_backend.db import async_connections

    options = {"assume_role": role, "application_name": "both"}
    options["isolation_level"] = psycopg.IsolationLevel.SERIALIZABLE
    alias = make_alias(
        ENGINE=ASYNC_ENGINE, options=options, TIME_ZONE="Asia/Tokyo", pool={"max_size": 2}
    )
    assert async_connections.settings[alias]["ENGINE"] == ASYNC_ENGINE
    async with atomic(alias):
        shown = [
            await run_sync(one, sql, alias)
            for sql in (
                "SELECT current_user",
                "SHOW application_name",
                "SHOW transaction_isolation",
                "SHOW timezone",
            )
        ]
    assert shown == [role, "both", "serializable", "Asia/Tokyo"]
    assert pool_stats(alias).max_size == 2


@needs_async_backend
async def test_models_work_with_the_engine_of_django_async_backend(make_alias):
    alias = make_alias(ENGINE=ASYNC_ENGINE)
    async with atomic(alias):
        author = await Author.objects.using(alias).acreate(name="Ada")
        await Article.objects.using(alias).acreate(title="t", author=author)
    found = await Article.objects.using(alias).select_related("author").aget()
    assert (found.title, found.author.name) == ("t", "Ada")
    assert [a.name async for a in Author.objects.using(alias).aiterator()] == ["Ada"]


def test_the_engine_of_postgis_is_derived_like_any_other():
    """Without GDAL its module cannot be imported; what matters is that a subclass stays one."""
    try:
        from django.contrib.gis.db.backends.postgis.base import DatabaseWrapper as Engine
    except Exception:

        class Engine(DatabaseWrapper):
            def prepare_database(self):
                return "prepared"

    derived = bridged_class(Engine)
    assert issubclass(derived, Engine)
    assert derived.vendor == "postgresql"
    assert derived.prepare_database is Engine.prepare_database


async def test_connection_created_is_sent_once_for_each_physical_connection(make_alias):
    alias = make_alias(pool={"max_size": 1})
    engine = type(connections.create_connection("default"))
    seen = []

    def receiver(sender, connection, **kwargs):
        if connection.alias == alias:
            seen.append((sender, connection.connection.info.backend_pid))

    with receiver_of_connection_created(receiver):
        pids = [await run_sync(one, "SELECT pg_backend_pid()", alias) for _ in range(3)]
        async with atomic(alias):
            pids.append(await run_sync(one, "SELECT pg_backend_pid()", alias))
    assert seen == [(engine, pids[0])]
    assert len(set(pids)) == 1


async def test_a_receiver_of_connection_created_may_query(make_alias):
    alias = make_alias(pool={"max_size": 1})

    def receiver(sender, connection, **kwargs):
        if connection.alias == alias:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 4321")

    with receiver_of_connection_created(receiver):
        assert await run_sync(one, "SHOW statement_timeout", alias) == "4321ms"
        assert await run_sync(one, "SHOW statement_timeout", alias) == "4321ms"


async def test_hooks_that_a_receiver_adds_stay_on_the_connection(make_alias):
    alias = make_alias(pool={"max_size": 1})
    statements = []

    def hook(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    def receiver(sender, connection, **kwargs):
        if connection.alias == alias:
            connection.execute_wrappers.append(hook)

    with receiver_of_connection_created(receiver):
        await open_pools(alias)
    await run_sync(one, "SELECT 1", alias)
    await run_sync(one, "SELECT 2", alias)
    async with atomic(alias):
        await run_sync(one, "SELECT 3", alias)
    await run_sync(one, "SELECT 4")

    assert [sql for sql in statements if sql.startswith("SELECT")] == [
        "SELECT 1",
        "SELECT 2",
        "SELECT 3",
    ]
