"""Opening a pool that cannot be opened, and what its callbacks and checks do."""

import asyncio
import socket

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import OperationalError

from tests.faults.proxy import Proxy
from tests.testapp.models import Author
from tests.waiting import FOREVER, until
from turbo_orm import close_pools, open_pools, pool_stats, run_sync
from turbo_orm.pool import get_pool


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def kill(pid):
    """End a backend and wait until it is gone."""
    await run_sync(one, f"SELECT pg_terminate_backend({pid})")
    sessions = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"

    async def gone():
        return not await run_sync(one, sessions)

    await until(gone)


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_server_that_cannot_be_reached_is_an_error_at_once(make_alias, closed_port):
    alias = make_alias(HOST="127.0.0.1", PORT=str(closed_port))

    async def operations():
        return await run_sync(one, "SELECT 1", alias)

    for attempt in (open_pools(alias), operations(), operations()):
        with pytest.raises(
            OperationalError, match=f"Cannot connect to database '{alias}'.*refused"
        ):
            await attempt
    results = await asyncio.gather(*(operations() for _ in range(5)), return_exceptions=True)

    assert [type(result) for result in results] == [OperationalError] * 5


async def test_a_wrong_database_name_is_an_error_at_once(make_alias):
    alias = make_alias(NAME="no_such_database")
    with pytest.raises(OperationalError, match='database "no_such_database" does not exist'):
        await open_pools(alias)


async def test_it_works_once_the_server_can_be_reached(make_alias):
    async with Proxy() as proxy:
        alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port))
        await proxy.refuse()
        with pytest.raises(OperationalError, match="Cannot connect"):
            await open_pools(alias)

        await proxy.accept()
        assert await run_sync(one, "SELECT 1", alias) == 1
        await close_pools()


async def test_a_server_that_loses_the_first_connection_gets_another(make_alias):
    async with Proxy() as proxy:
        alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"timeout": 1})
        proxy.freeze()
        first = asyncio.ensure_future(run_sync(one, "SELECT 1", alias))
        await until(lambda: proxy.pieces_held_up)
        proxy.freeze_open()

        with pytest.raises(OperationalError) as caught:
            await first

        assert str(caught.value) == (
            f"Cannot connect to database '{alias}': the first connection was not ready within 1 s. "
            'Check that the server at HOST and PORT answers, or raise timeout in OPTIONS["pool"].'
        )
        pool = get_pool(alias)
        await until(lambda: pool.stats().idle)
        assert await run_sync(one, "SELECT 1", alias) == 1
        proxy.thaw()
        await close_pools()


async def test_an_operation_does_not_wait_until_a_refused_connection_is_tried_again(
    make_alias, closed_port
):
    alias = make_alias(HOST="127.0.0.1", PORT=str(closed_port), pool={"timeout": FOREVER})
    pool = get_pool(alias)
    # The server has refused, and who asked was cancelled.
    await pool.open()
    await until(lambda: pool.last_error)

    assert get_pool(alias) is not pool
    for late in (pool, get_pool(alias)):
        with pytest.raises(OperationalError, match=f"Cannot connect to database '{alias}'"):
            await late.lend()


@pytest.mark.needs_thread("asyncio resolves a name in one")
async def test_an_error_that_is_not_psycopgs_is_raised_at_once(make_alias):
    alias = make_alias(HOST=f"{'a' * 64}.example", pool={"timeout": FOREVER})

    with pytest.raises(UnicodeError, match="too long"):
        await run_sync(one, "SELECT 1", alias)


async def test_a_transaction_that_the_configure_function_begins_is_an_error_at_once(make_alias):
    def configure(connection):
        connection.execute("BEGIN")

    alias = make_alias(pool={"timeout": FOREVER, "configure": configure})

    with pytest.raises(OperationalError) as caught:
        await run_sync(one, "SELECT 1", alias)

    assert str(caught.value) == (
        f"Cannot connect to database '{alias}': the pool's configure function, or a receiver of "
        "connection_created, left the connection in status INTRANS. End the transaction there."
    )


async def test_opening_without_names_opens_every_alias():
    await open_pools()
    assert [pool_stats(alias).idle >= 1 for alias in ("default", "other")] == [True, True]


async def test_a_wrong_isolation_level_is_said_at_once(make_alias):
    alias = make_alias(options={"isolation_level": 99})
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match=rf"{alias}.*isolation_level.* is 99"):
            await open_pools(alias)


async def test_another_engine_is_refused_with_what_to_put_there(make_alias):
    alias = make_alias(ENGINE="django.db.backends.sqlite3", NAME=":memory:")
    message = (
        f"DATABASES['{alias}']['ENGINE'] is 'django.db.backends.sqlite3', which Turbo ORM cannot "
        "await. Put 'django.db.backends.postgresql'"
    )
    attempts = [open_pools(alias), run_sync(one, "SELECT 1", alias)]
    attempts.append(run_sync(lambda: Author.objects.using(alias).count()))
    for attempt in attempts:
        with pytest.raises(ImproperlyConfigured) as caught:
            await attempt
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
async def test_callbacks_of_the_pool_are_called(make_alias, kind):
    calls = []
    role = "SET application_name = 'configured'"

    if kind == "asynchronous":

        async def configure(connection):
            await connection.execute(role)
            calls.append("configure")

        async def check(connection):
            await connection.execute("SELECT 1")
            calls.append("check")

        async def reset(connection):
            await connection.execute("SELECT 1")
            calls.append("reset")
    else:

        def configure(connection):
            connection.execute(role)
            calls.append("configure")

        def check(connection):
            assert connection.execute("SELECT 1").fetchone() == (1,)
            calls.append("check")

        def reset(connection):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            calls.append("reset")

    callbacks = {"configure": configure, "check": check, "reset": reset}
    alias = make_alias(pool={"max_size": 1, **callbacks})

    assert await run_sync(one, "SHOW application_name", alias) == "configured"
    await until(lambda: "reset" in calls)
    assert calls == ["configure", "check", "reset"]


async def test_a_connection_that_the_check_closes_is_replaced(make_alias):
    refused = []

    async def check(connection):
        if not refused:
            refused.append(connection.info.backend_pid)
            await connection.close()
            raise psycopg.OperationalError("not this one")

    alias = make_alias(pool={"max_size": 1, "check": check})
    pid = await run_sync(one, "SELECT pg_backend_pid()", alias)
    assert refused
    assert pid not in refused


async def test_with_health_checks_a_dead_connection_is_never_seen(make_alias):
    alias = make_alias(pool={"min_size": 2, "max_size": 2}, CONN_HEALTH_CHECKS=True)
    await open_pools(alias)
    for _ in range(3):
        pids = await asyncio.gather(
            *(run_sync(one, "SELECT pg_backend_pid() FROM pg_sleep(0.05)", alias) for _ in "ab")
        )
        for pid in set(pids):
            await kill(pid)
        assert await run_sync(one, "SELECT 1", alias) == 1


async def test_without_health_checks_each_dead_connection_costs_one_error(make_alias):
    alias = make_alias(pool={"min_size": 2, "max_size": 2})
    pool = get_pool(alias)
    lent = [await pool.lend(), await pool.lend()]
    for connection in lent:
        await kill(connection.info.backend_pid)
        pool.take_back(connection)

    results = []
    for _ in range(6):
        try:
            results.append(await run_sync(one, "SELECT 1", alias))
        except OperationalError:
            results.append("error")

    assert results[2:] == [1, 1, 1, 1]
