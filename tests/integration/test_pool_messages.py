"""What a person reads of the pool: nothing if all is well, one message if the database is away."""

import asyncio
import logging
import os

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connections, transaction
from django.db.utils import OperationalError
from django.test import override_settings

from tests.faults.proxy import Proxy
from tests.straight import connect
from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import await_, close_pools, open_pools, pool_stats, run_sync

try:
    import uvloop
except ImportError:  # it does not exist for Windows
    uvloop = None

RUNS = 50


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def messages(caplog):
    """Return what somebody sees who has configured no logging."""
    return [
        (record.name, record.levelname, record.getMessage())
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


async def count():
    return await Author.objects.acount()


RUNNERS = {"asyncio.run": lambda: asyncio.run(count()), "async_to_sync": async_to_sync(count)}
if uvloop is not None:
    RUNNERS["uvloop.run"] = lambda: uvloop.run(count())


@pytest.mark.needs_thread("async_to_sync runs its loop in one")
@pytest.mark.parametrize("runner", RUNNERS)
@override_settings(TURBO_ORM={})
def test_a_loop_that_ends_while_the_pool_is_growing_prints_nothing(runner, caplog, capfd):
    counts = [RUNNERS[runner]() for _ in range(RUNS)]

    assert counts == [0] * RUNS
    assert messages(caplog) == []
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def limited():
    """Give a function that makes a role that may have so many connections."""
    name = f"turbo_limited_{os.getpid()}"

    def make(connection_limit):
        with connect("default") as connection:
            connection.execute(
                f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT {connection_limit}"
            )
        return name

    yield make
    with connect("default") as connection:
        connection.execute(f"DROP ROLE {name}")


async def until_no_session_of(role):
    sessions = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'"

    async def none():
        return await run_sync(one, sessions) == 0

    await until(none)


async def test_one_connection_suffices_where_more_are_refused(make_alias, limited, caplog):
    role = limited(1)
    alias = make_alias(USER=role, PASSWORD="x", pool={"min_size": 2, "max_size": 4})

    for _ in range(7):
        answers = await asyncio.gather(*(run_sync(one, "SELECT 1", alias) for _ in range(10)))
        assert answers == [1] * 10
        # The second was tried, and refused.
        await until(lambda: messages(caplog))
        await close_pools()
        await until_no_session_of(role)

    ((name, level, message),) = messages(caplog)
    assert (name, level) == ("turbo_orm", "WARNING")
    assert message.startswith(f"Cannot open more connections to database '{alias}', 1 open: ")
    assert f'too many connections for role "{role}"' in message


async def test_where_every_connection_is_refused_the_server_says_why(make_alias, limited, caplog):
    role = limited(0)
    alias = make_alias(USER=role, PASSWORD="x", pool={"min_size": 2, "max_size": 4})

    attempts = [open_pools(alias), *(run_sync(one, "SELECT 1", alias) for _ in range(3))]
    errors = await asyncio.gather(*attempts, return_exceptions=True)
    errors += [await run_sync(run_sync_error, alias)]

    assert [type(error) for error in errors] == [OperationalError] * 5
    for error in errors:
        assert str(error).startswith(f"Cannot connect to database '{alias}': ")
        assert f'too many connections for role "{role}"' in str(error)
    assert len(messages(caplog)) == 1


def run_sync_error(alias):
    try:
        return one("SELECT 1", alias)
    except OperationalError as error:
        return error


async def test_operations_that_wait_for_the_first_connection_get_all_that_there_may_be(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 4})
    met = 0

    async def inside():
        nonlocal met
        met += 1
        await until(lambda: met >= 4)

    def in_block():
        with transaction.atomic(alias):
            one("SELECT 1", alias)
            # Each keeps its connection until all four have one.
            await_(inside())

    await asyncio.gather(*(run_sync(in_block) for _ in range(4)))

    assert pool_stats(alias).size == 4


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 3), (1, 1), (2, 3), (3, 3)])
async def test_the_pool_is_filled_to_its_minimum_and_never_beyond_its_maximum(
    make_alias, minimum, maximum
):
    alias = make_alias(pool={"min_size": minimum, "max_size": maximum})
    await open_pools(alias)
    await until(lambda: pool_stats(alias).idle == max(minimum, 1))

    await asyncio.gather(*(run_sync(one, "SELECT 1 FROM pg_sleep(0)", alias) for _ in range(9)))

    stats = pool_stats(alias)
    assert (stats.min_size, stats.max_size) == (minimum, maximum)
    await until(lambda: pool_stats(alias).in_use == 0)
    assert max(minimum, 1) <= pool_stats(alias).size <= maximum


@pytest.fixture
async def proxy():
    async with Proxy() as proxy:
        yield proxy


async def answer(alias):
    try:
        return await run_sync(one, "SELECT 1", alias)
    except OperationalError as error:
        return error


async def test_a_database_that_is_away_from_the_start_is_told_of_once_and_once_when_it_is_back(
    make_alias, proxy, caplog
):
    alias = make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool={"min_size": 3, "max_size": 5})
    await proxy.refuse()

    answers = await asyncio.gather(*(answer(alias) for _ in range(5)))
    answers += [await answer(alias) for _ in range(5)]

    assert [type(each) for each in answers] == [OperationalError] * 10
    ((name, level, message),) = messages(caplog)
    assert (name, level) == ("turbo_orm", "ERROR")
    assert message.startswith(f"Cannot connect to database '{alias}': ")
    assert "refused" in message

    await proxy.accept()
    assert [await answer(alias) for _ in range(3)] == [1, 1, 1]
    await close_pools()

    _, (name, level, message) = messages(caplog)
    assert (name, level) == ("turbo_orm", "WARNING")
    assert message.startswith(f"Database '{alias}' accepts connections again, after ")


async def test_a_database_that_goes_away_is_told_of_once_and_once_when_it_is_back(
    make_alias, proxy, caplog
):
    alias = make_alias(
        HOST="127.0.0.1",
        PORT=str(proxy.port),
        pool={"min_size": 2, "max_size": 2, "timeout": 0.2},
    )
    # On a busy machine the first connections take longer than the timeout.
    await until(lambda: answers_again(alias))
    await until(lambda: pool_stats(alias).idle == 2)
    caplog.clear()
    await proxy.refuse()
    await proxy.cut()
    made = pool_stats(alias).connections_made

    # psycopg_pool tries anew after a second, and again after two.
    async def was_tried_again():
        await answer(alias)
        return pool_stats(alias).connections_made >= made + 4

    await until(was_tried_again)
    # The other connection is as dead, though it was not used since.
    ((name, level, message),) = messages(caplog)
    assert (name, level) == ("turbo_orm", "ERROR")
    assert message.startswith(f"Cannot connect to database '{alias}': ")
    assert "refused" in message

    await proxy.accept()
    await until(lambda: answers_again(alias))
    await until(lambda: len(messages(caplog)) == 2)
    assert "accepts connections again" in messages(caplog)[1][2]
    await close_pools()


async def answers_again(alias):
    return await answer(alias) == 1


async def test_a_session_that_is_ended_is_an_error_and_no_message(make_alias, caplog):
    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    pid = await run_sync(one, "SELECT pg_backend_pid()", alias)
    with connect("default") as connection:
        connection.execute(f"SELECT pg_terminate_backend({pid})")

    async def replaced():
        other = await answer_with(alias, "SELECT pg_backend_pid()")
        return isinstance(other, int) and other != pid

    await until(replaced)

    assert messages(caplog) == []


async def answer_with(alias, sql):
    try:
        return await run_sync(one, sql, alias)
    except (OperationalError, psycopg.Error) as error:
        return error
