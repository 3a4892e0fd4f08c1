"""A connection's socket stays with the event loop; nothing of it is left when it ends."""

import asyncio
import gc
import logging
import os
import threading
import weakref

import psycopg
import pytest
from django.db import connections
from django.db.utils import OperationalError

from tests.waiting import FOREVER, until, until_asleep
from turbo_orm import close_pools, pool_stats, run_sync
from turbo_orm.connection.recipe import connection_parameters
from turbo_orm.pool import finish, get_pool, watchdog


@pytest.fixture
def often_looked_after(monkeypatch):
    """Let the watchdog look at the sockets often; to be asked for before the pool."""
    monkeypatch.setattr(watchdog, "INTERVAL", 0.02)


@pytest.fixture
async def pool(make_alias):
    """A pool of one connection."""
    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    pool = get_pool(alias)
    await pool.open()
    yield pool
    await close_pools()


@pytest.fixture
async def lent(pool):
    """Its connection, which has executed one statement."""
    connection = await pool.lend()
    assert await answer(connection, 1) == 1
    yield connection
    pool.take_back(connection)


@pytest.fixture(autouse=True)
def unkept_log(monkeypatch):
    """Keep pytest from keeping log records: through its arguments one holds a connection."""
    monkeypatch.setattr(logging.getLogger("psycopg.pool"), "disabled", True)


def end_session(backend):
    """Let the server end a session."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])


async def answer(connection, number):
    cursor = await connection.execute("SELECT %s::int", [number])
    return (await cursor.fetchone())[0]


@pytest.fixture
async def readers(pool, monkeypatch):
    """What the loop watches from now on; the pool's connection is not watched yet."""
    connection = await pool.lend()
    connection.unwatch()
    pool.take_back(connection)
    loop, watched = pool.loop, set()
    add_reader, remove_reader = loop.add_reader, loop.remove_reader

    def add(descriptor, *args):
        watched.add(descriptor)
        add_reader(descriptor, *args)

    def remove(descriptor):
        watched.discard(descriptor)
        return remove_reader(descriptor)

    monkeypatch.setattr(loop, "add_reader", add)
    monkeypatch.setattr(loop, "remove_reader", remove)
    return watched


async def test_one_registration_serves_all_statements(lent, monkeypatch):
    loop = asyncio.get_running_loop()
    added, removed = [], []
    monkeypatch.setattr(loop, "add_reader", lambda *args: added.append(args))
    monkeypatch.setattr(loop, "remove_reader", removed.append)

    assert [await answer(lent, number) for number in range(50)] == list(range(50))
    assert (added, removed) == ([], [])


async def test_closing_the_pool_leaves_nothing_registered(readers, pool):
    connection = await pool.lend()
    assert await answer(connection, 2) == 2
    assert len(readers) == 1
    pool.take_back(connection)
    await close_pools()

    assert readers == set()


async def test_a_watch_that_ended_is_kept_by_nobody(lent):
    ended = weakref.ref(lent._watch)
    lent.unwatch()
    assert await answer(lent, 2) == 2
    gc.collect()

    assert ended() is None


async def test_a_closed_connection_is_forgotten_at_once(readers, pool):
    connection = await pool.lend()
    assert await answer(connection, 3) == 3
    assert len(readers) == 1
    await connection.close()

    assert readers == set()
    pool.take_back(connection)


@pytest.mark.parametrize("end", [finish, lambda connection: connection.pgconn.finish()])
async def test_a_connection_closed_by_anybody_is_forgotten(often_looked_after, pool, end):
    connection = await pool.lend()
    assert await answer(connection, 3) == 3
    watch = connection._watch
    end(connection)
    # The next socket may get the number of the one that was closed.
    parameters = connection_parameters("default")
    del parameters["cursor_factory"]
    again = await psycopg.AsyncConnection.connect(**parameters)
    try:
        assert await answer(again, 4) == 4
    finally:
        await again.close()
    pool.take_back(connection)
    del connection

    await until(lambda: watch.ended)


async def test_an_idle_session_that_the_server_ends_keeps_no_loop_busy(pool):
    connection = await pool.lend()
    assert await answer(connection, 5) == 5
    watch = connection._watch
    pool.take_back(connection)
    await run_sync(end_session, connection.info.backend_pid)

    await until(lambda: watch.ended)
    assert watch.loop is pool.loop
    with pytest.raises(psycopg.OperationalError):
        await answer(connection, 6)


async def test_a_forgotten_connection_is_watched_no_more(readers, pool):
    connection = await pool.lend()
    assert await answer(connection, 7) == 7
    connection.pgconn.finish()
    watch = connection._watch
    pool.take_back(connection)
    pool.connections.discard(connection)
    del connection
    gc.collect()

    assert watch.ended
    assert watch.waiter is None
    assert readers == set()


@pytest.mark.needs_thread("garbage is collected in another thread than the loop's")
async def test_ended_in_another_thread_it_leaves_the_loop_by_its_own(lent):
    watch = lent._watch
    thread = threading.Thread(target=watch.end)
    thread.start()
    thread.join()

    assert not watch.ended
    await until(lambda: watch.ended)
    assert await answer(lent, 8) == 8


def test_the_child_of_a_fork_takes_nothing_from_its_parent(new_loop):
    loop = new_loop()
    pool = loop.run_until_complete(pool_of_loop())
    connection = loop.run_until_complete(pool.lend())
    try:
        assert loop.run_until_complete(answer(connection, 9)) == 9
        child = os.fork()
        if not child:
            # As when it collects its garbage.
            connection._watch.end()
            os._exit(0)
        os.waitpid(child, 0)

        again = asyncio.wait_for(answer(connection, 10), 5)
        assert loop.run_until_complete(again) == 10
    finally:
        pool.take_back(connection)
        loop.run_until_complete(close_pools())
        loop.close()


async def pool_of_loop():
    return get_pool("default")


def test_a_loop_that_was_closed_leaves_no_descriptor_open(new_loop):
    from turbo_orm.pool.watch import Watch

    reading, writing = os.pipe()
    loop = new_loop()
    watch = Watch(reading, loop)
    descriptor = watch._descriptor
    loop.close()
    watch.end()
    watch.end()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    os.close(reading)
    os.close(writing)


async def test_a_connection_closed_under_a_statement_fails_it_at_once(lent):
    backend = lent.info.backend_pid
    waiting = asyncio.create_task(answer_after(lent, FOREVER))
    await until_asleep()
    finish(lent)

    await asyncio.wait({waiting})
    assert isinstance(waiting.exception(), psycopg.OperationalError)
    # It sleeps on.
    await run_sync(end_session, backend)


async def answer_after(connection, seconds):
    await connection.execute("SELECT pg_sleep(%s)", [seconds])


async def test_what_is_more_than_reading_is_left_to_psycopg(lent):
    # Too much for the socket's buffer: it has to wait until it can write.
    text = "x" * 20_000_000
    cursor = await lent.execute("SELECT length(%s), %s", [text, text])
    assert await cursor.fetchone() == (len(text), text)

    async with lent.cursor().copy("COPY (SELECT generate_series(1, 1000)) TO STDOUT") as copy:
        assert len([row async for row in copy.rows()]) == 1000
    async with lent.pipeline():
        cursors = [await lent.execute("SELECT %s::int", [number]) for number in range(20)]
        assert [(await cursor.fetchone())[0] for cursor in cursors] == list(range(20))
    assert await answer(lent, 10) == 10


async def test_notifications_are_waited_for_beside_statements(lent):
    await lent.execute("LISTEN news")
    telling = asyncio.create_task(tell(lent, "NOTIFY news, 'read all about it'"))
    received = [note.payload async for note in lent.notifies(timeout=30, stop_after=1)]
    await telling
    await lent.execute("UNLISTEN news")

    assert received == ["read all about it"]
    assert await answer(lent, 11) == 11


async def tell(listening, statement):
    await until(listening.lock.locked)
    pool = get_pool("default")
    connection = await pool.lend()
    try:
        await connection.execute(statement)
    finally:
        pool.take_back(connection)


async def test_a_cancelled_statement_is_ended_on_the_server_and_the_connection_kept(lent):
    for _ in range(3):
        waiting = asyncio.create_task(answer_after(lent, FOREVER))
        await until_asleep()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert await answer(lent, 12) == 12


async def test_a_session_that_ends_under_a_statement_is_djangos_error(make_alias):
    from tests.testapp.models import Author

    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    authors = Author.objects.using(alias)
    for _ in range(3):
        assert await authors.filter(name="nobody").acount() == 0
    connection = await get_pool(alias).lend()
    get_pool(alias).take_back(connection)
    await run_sync(end_session, connection.info.backend_pid)
    del connection

    with pytest.raises(OperationalError):
        for _ in range(3):
            await authors.filter(name="nobody").acount()
    assert await authors.filter(name="nobody").acount() == 0
    assert pool_stats(alias).in_use == 0
