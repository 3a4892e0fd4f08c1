"""The safety net under the event loop: it wakes what the loop forgets, and is never needed."""

import asyncio
import time

import psycopg
import pytest

from tests.straight import connect
from tests.waiting import FOREVER, until_asleep, until_now
from turbo_orm import close_pools
from turbo_orm.pool import get_pool, watchdog


@pytest.fixture
async def lent(make_alias, monkeypatch):
    """A connection whose pool looks after it often, and which has executed a statement."""
    monkeypatch.setattr(watchdog, "INTERVAL", 0.02)
    pool = get_pool(make_alias(pool={"min_size": 1, "max_size": 1}))
    connection = await pool.lend()
    await connection.execute("SELECT 1")
    yield connection
    pool.take_back(connection)
    await close_pools()


async def test_a_statement_that_the_loop_forgets_is_woken_and_counted(lent, caplog):
    # What uvloop does with a socket that was reset.
    lent._watch.loop.remove_reader(lent._watch._descriptor)

    cursor = await asyncio.wait_for(lent.execute("SELECT 7"), 30)

    assert await cursor.fetchone() == (7,)
    assert list(watchdog.missed_wakeups.values()) == [1]
    assert "did not notice for up to 0.02 s that database 'extra" in caplog.text
    watchdog.missed_wakeups.clear()
    # It has another watch.
    assert await (await lent.execute("SELECT 8")).fetchone() == (8,)


async def test_a_loop_that_was_busy_notices_by_itself(lent):
    for number in range(5):
        statement = asyncio.ensure_future(lent.execute(f"SELECT {number}"))
        await asyncio.sleep(0)
        watch, _ = lent.waiting_statement
        # The answer comes, and a look is due, while the loop does something else.
        until_now(watch.has_input)
        time.sleep(2 * watchdog.INTERVAL)  # noqa: ASYNC251 - keeps the loop busy
        assert await (await statement).fetchone() == (number,)

    assert not watchdog.missed_wakeups


async def test_a_statement_whose_socket_somebody_closes_fails(lent):
    statement = asyncio.ensure_future(lent.execute(f"SELECT pg_sleep({FOREVER})"))
    await until_asleep()
    backend = lent.info.backend_pid
    # Of psycopg's own connection libuv would end the process: its socket itself is watched.
    lent.pgconn.finish()

    with pytest.raises(psycopg.OperationalError):
        await asyncio.wait_for(statement, 30)

    # It sleeps on.
    with connect("default") as straight:
        straight.execute("SELECT pg_terminate_backend(%s)", [backend])
