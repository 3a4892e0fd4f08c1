"""Sessions that end, by whatever means: an error at once and as in psycopg, on both event loops."""

import asyncio
import select
import socket
import struct
from collections import Counter

import psycopg
import pytest
from django.db import connections
from django.db.utils import InterfaceError, OperationalError
from psycopg import pq

from tests.faults.proxy import Proxy
from tests.straight import ADDRESS, connect
from tests.testapp.models import Author
from tests.waiting import FOREVER, until, until_asleep, until_nobody_sleeps
from turbo_orm import atomic, close_pools, open_pools, pool_stats, run_sync
from turbo_orm.pool import get_pool

PATIENCE = 30
_FIELDS = (b"SFATAL", b"VFATAL", b"C57P01", b"Mterminating connection due to administrator command")
_BODY = b"\0".join(_FIELDS) + b"\0\0"
# What a server says before it ends a session.
FATAL = b"E" + struct.pack("!I", len(_BODY) + 4) + _BODY


@pytest.fixture
async def proxy():
    async with Proxy() as proxy:
        yield proxy
        await close_pools()


@pytest.fixture
def alias(make_alias, proxy):
    """A database whose one connection goes through the proxy."""
    pool = {"min_size": 1, "max_size": 1, "timeout": PATIENCE}
    return make_alias(HOST="127.0.0.1", PORT=str(proxy.port), pool=pool)


async def bare(alias):
    """Connect to the database of an alias with psycopg alone."""
    parameters = connections[alias].get_connection_params()
    parameters = {name: parameters[name] for name in ADDRESS if name in parameters}
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True)


def terminate(connection):
    """Let the server end a session."""
    with connect("default") as straight:
        straight.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])


def shut_down(connection):
    """End a connection from the client's side, under the driver."""
    with socket.socket(fileno=socket.dup(connection.pgconn.socket)) as shared:
        shared.shutdown(socket.SHUT_RDWR)


# Each: the statement before the session is idle, and what ends it. An end that is read together
# with the answer to that statement is another case: the server waits (ms) until that was read.
ENDS = {
    "terminated": ("SELECT 1", lambda connection, proxy: terminate(connection)),
    "idle too long": ("SET idle_session_timeout = 300", lambda connection, proxy: None),
    "idle in a transaction": (
        "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 300",
        lambda connection, proxy: None,
    ),
    "end": ("SELECT 1", lambda connection, proxy: proxy.end()),
    "end after a message": ("SELECT 1", lambda connection, proxy: proxy.end(FATAL)),
    "half an end": ("SELECT 1", lambda connection, proxy: proxy.end_half()),
    "reset": ("SELECT 1", lambda connection, proxy: proxy.reset()),
    "reset after a message": ("SELECT 1", lambda connection, proxy: proxy.reset(FATAL)),
    "shut down here": ("SELECT 1", lambda connection, proxy: shut_down(connection)),
}
every_end = pytest.mark.parametrize("end", ENDS)


async def until_noticed(connection):
    """Wait until a session's end is here, and the event loop has had time to look at it."""
    poll = select.poll()
    # What came before the end, such as a message, does not suffice.
    poll.register(connection.pgconn.socket, getattr(select, "POLLRDHUP", select.POLLIN))
    await until(lambda: poll.poll(0), within=PATIENCE)
    for _ in range(10):
        await asyncio.sleep(0)


async def end_while_idle(connection, end, proxy):
    before, bring_about = ENDS[end]
    await connection.execute(before)
    bring_about(connection, proxy)
    await until_noticed(connection)


async def failure(awaitable):
    """Return the kind and the words of the error that an awaitable ends with."""
    with pytest.raises(psycopg.Error) as caught:
        await asyncio.wait_for(awaitable, PATIENCE)
    return type(caught.value), str(caught.value)


async def same_as_in_psycopg(alias, use):
    """Let a function use a connection of psycopg's, then one of the pool: it returns the same."""
    plain = await bare(alias)
    expected = await use(plain)
    await plain.close()
    pool = get_pool(alias)
    lent = await pool.lend()
    try:
        assert await use(lent) == expected
    finally:
        pool.take_back(lent)


@every_end
async def test_the_statement_after_an_idle_session_ended_fails_as_in_psycopg(end, alias, proxy):
    async def use(connection):
        await end_while_idle(connection, end, proxy)
        return await failure(connection.execute("SELECT 2"))

    await same_as_in_psycopg(alias, use)
    assert await run_sync(one, alias) == 1


def one(alias="default", sql="SELECT 1"):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def outcome(awaitable):
    try:
        return await asyncio.wait_for(awaitable, PATIENCE)
    except (OperationalError, InterfaceError):
        return "error"


@every_end
async def test_idle_connections_that_ended_cost_one_error_each(end, make_alias, proxy):
    size = 4
    alias = make_alias(
        HOST="127.0.0.1", PORT=str(proxy.port), pool={"min_size": size, "max_size": size}
    )
    await open_pools(alias)
    await until(lambda: pool_stats(alias).idle == size)
    pool, authors = get_pool(alias), Author.objects.using(alias)
    await Author.objects.acreate(name="Ada")
    # Planned statements too.
    for _ in range(3):
        await asyncio.gather(*(authors.afirst() for _ in range(10)))
    lent = [await pool.lend() for _ in range(size)]
    for connection in lent:
        await connection.execute(ENDS[end][0])
    for connection in lent:
        ENDS[end][1](connection, proxy)
        await until_noticed(connection)
        # As if it had been idle in the pool.
        pool.take_back(connection)
    del connection, lent

    answers = await asyncio.gather(*(outcome(authors.afirst()) for _ in range(20)))

    counted = Counter(getattr(answer, "name", answer) for answer in answers)
    assert counted["error"] <= size
    assert counted["Ada"] == 20 - counted["error"]
    assert (await authors.afirst()).name == "Ada"


async def test_a_session_that_ends_with_its_answer_fails_the_next_statement(alias, proxy):
    pool = get_pool(alias)
    lent = await pool.lend()
    await lent.execute("SELECT 0")
    # The event loop hears of both at once.
    proxy.with_answer = proxy.reset
    cursor = await asyncio.wait_for(lent.execute("SELECT 1"), PATIENCE)
    proxy.with_answer = None
    assert await cursor.fetchone() == (1,)
    await until_noticed(lent)

    kind, _ = await failure(lent.execute("SELECT 2"))

    assert issubclass(kind, psycopg.OperationalError)
    pool.take_back(lent)


IN_USE = {
    "end": lambda proxy: proxy.end(),
    "end after a message": lambda proxy: proxy.end(FATAL),
    "reset": lambda proxy: proxy.reset(),
    "reset after a message": lambda proxy: proxy.reset(FATAL),
}
every_end_in_use = pytest.mark.parametrize("end", IN_USE)


@every_end_in_use
async def test_a_session_that_ends_under_its_statement_fails_it(end, alias, proxy):
    async def use(connection):
        statement = asyncio.ensure_future(connection.execute("SELECT pg_sleep(%s)", [FOREVER]))
        await until_asleep()
        IN_USE[end](proxy)
        failed = await failure(statement)
        end_sleepers()
        await until_nobody_sleeps()
        return failed

    await same_as_in_psycopg(alias, use)


def end_sleepers():
    """End the sessions that do not look whether their client is still there."""
    with connect("default") as straight:
        straight.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE wait_event = 'PgSleep' AND datname = current_database()"
        )


@every_end_in_use
async def test_a_session_that_ends_in_a_block_fails_it_and_nothing_is_kept(end, alias, proxy):
    async def block():
        async with atomic(alias):
            await Author.objects.using(alias).acreate(name="gone")
            connection = await run_sync(lambda: connections[alias].connection.source)
            IN_USE[end](proxy)
            await until_noticed(connection)
            del connection
            await Author.objects.using(alias).acount()

    with pytest.raises((OperationalError, InterfaceError)):
        await asyncio.wait_for(block(), PATIENCE)
    assert await Author.objects.using(alias).acount() == 0


@every_end_in_use
async def test_a_session_that_ends_in_a_stream_fails_it(end, alias, proxy):
    await Author.objects.abulk_create(Author(name=f"{number}") for number in range(20))
    seen = []

    async def read():
        async for author in Author.objects.using(alias).order_by("pk").aiterator(chunk_size=5):
            seen.append(author.name)
            if len(seen) == 5:
                IN_USE[end](proxy)

    with pytest.raises(OperationalError):
        await asyncio.wait_for(read(), PATIENCE)
    assert seen == [str(number) for number in range(5)]
    assert await Author.objects.using(alias).acount() == 20


@every_end_in_use
async def test_a_session_that_ends_while_it_listens_ends_the_wait(end, alias, proxy):
    async def listen(connection):
        await connection.execute("LISTEN news")
        listening.set()
        async for _ in connection.notifies():
            pass

    async def use(connection):
        listening.clear()
        waiting = asyncio.ensure_future(listen(connection))
        await listening.wait()
        IN_USE[end](proxy)
        return await failure(waiting)

    listening = asyncio.Event()
    await same_as_in_psycopg(alias, use)


@every_end_in_use
@pytest.mark.parametrize("way", ["in", "out"])
async def test_a_session_that_ends_under_a_copy_fails_it(end, way, alias, proxy):
    async def copy_in(connection):
        copying = connection.cursor().copy("COPY testapp_author (name, age) FROM STDIN")
        async with copying as copy:
            IN_USE[end](proxy)
            await until_noticed(connection)
            await copy.write_row(["gone", 1])

    async def copy_out(connection):
        rows = "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"
        async with connection.cursor().copy(f"COPY ({rows}) TO STDOUT") as copy:
            await copy.read()
            IN_USE[end](proxy)
            while await copy.read():
                pass

    pool = get_pool(alias)
    lent = await pool.lend()
    kind, _ = await failure({"in": copy_in, "out": copy_out}[way](lent))

    assert issubclass(kind, psycopg.OperationalError)
    assert lent.pgconn.status == pq.ConnStatus.BAD
    pool.take_back(lent)
    assert await Author.objects.using(alias).acount() == 0


@every_end_in_use
async def test_a_session_that_ends_in_a_pipeline_fails_it(end, alias, proxy):
    def execute():
        with connections[alias].cursor() as cursor:
            cursor.executemany("SELECT pg_sleep(%s)", [[FOREVER], [0]])

    statement = asyncio.ensure_future(run_sync(execute))
    await until_asleep()
    IN_USE[end](proxy)

    assert await outcome(statement) == "error"
    end_sleepers()
    assert await run_sync(one, alias) == 1


@every_end_in_use
async def test_a_statement_cancelled_while_its_session_ends_is_cancelled(end, alias, proxy):
    task = asyncio.ensure_future(run_sync(one, alias, f"SELECT pg_sleep({FOREVER})"))
    await until_asleep()

    task.cancel()
    await asyncio.sleep(0)
    IN_USE[end](proxy)

    await asyncio.wait({task}, timeout=PATIENCE)
    assert task.cancelled() or isinstance(task.exception(), OperationalError)
    await until_nobody_sleeps()
    assert await run_sync(one, alias) == 1
