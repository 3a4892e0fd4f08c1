"""Wait for what is to come to hold. How long that takes is the machine's affair, not a test's."""

import asyncio
import inspect
import time

from tests.straight import connect
from turbo_orm.leases.lines import Line

# Seconds. A test has a minute; this says which wait it was that took it.
PATIENCE = 30.0
# Seconds, for what ends only when it is ended: longer than a test may take.
FOREVER = 600

# As the server sees it, such a session has begun its statement.
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state = 'active' AND %s IN (wait_event, wait_event_type)"
)


async def until(condition, told=str, within=PATIENCE):
    """Wait until a function, or a coroutine function, gives what is true, and return it.

    What `told` returns is said if that has not come within so many seconds.
    """
    deadline = time.monotonic() + within
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"it never came to hold: {told()}"
        await asyncio.sleep(0.005)


def until_now(condition, told=str):
    """Wait until a function gives what is true, where there is no event loop."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it never came to hold: {told()}"
        time.sleep(0.005)
    return found


def those_in_line(monkeypatch):
    """Return a list of the turns that have to wait for their time, filled from now on."""
    found, wait = [], Line.wait

    def waits(line, turn, may_enter):
        found.append(turn)
        return wait(line, turn, may_enter)

    monkeypatch.setattr(Line, "wait", waits)
    return found


async def until_asleep(count=1):
    """Wait until so many sessions of the test database, or more, are in pg_sleep()."""
    await _until_sessions_wait("PgSleep", lambda number: number >= count)


async def until_nobody_sleeps():
    """Wait until no session of the test database is in pg_sleep() any more."""
    await _until_sessions_wait("PgSleep", lambda number: number == 0)


async def until_locked():
    """Wait until a session of the test database waits for another's lock."""
    await _until_sessions_wait("Lock", lambda number: number >= 1)


async def _until_sessions_wait(event, suffices):
    # A pool's connections may all be taken.
    with connect("default") as watcher:
        await until(lambda: suffices(watcher.execute(WAITING, [event]).fetchone()[0]))
