"""The ASGI lifespan opens the pools and closes them."""

import asyncio
import logging

import pytest
from django.conf import settings
from django.db import connections
from django.test import override_settings

from tests.waiting import until
from turbo_orm import pool_stats, run_sync
from turbo_orm.asgi import lifespan


class Server:
    """The server's side of the protocol."""

    def __init__(self, application):
        self.application = lifespan(application)
        self.received = asyncio.Queue()
        self.sent = asyncio.Queue()

    def start(self):
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        return asyncio.create_task(self.application(scope, self.received.get, self.sent.put))

    async def say(self, event):
        await self.received.put({"type": f"lifespan.{event}"})
        return await self.sent.get()


async def untouched(scope, receive, send):
    raise AssertionError(f"the application was called with {scope!r}")


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def test_start_up_opens_every_pool_and_shut_down_closes_them():
    server = Server(untouched)
    running = server.start()

    assert await server.say("startup") == {"type": "lifespan.startup.complete"}
    opened = [pool_stats(alias).idle > 0 for alias in ("default", "other")]
    pid = await run_sync(one, "SELECT pg_backend_pid()")
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    await running

    assert opened == [True, True]
    assert [pool_stats(alias).size for alias in ("default", "other")] == [0, 0]
    await until(lambda: has_ended(pid))


async def has_ended(pid):
    return not await run_sync(one, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")


@pytest.fixture
def required():
    """The server is to stop where a database is missing."""
    with override_settings(TURBO_ORM={**settings.TURBO_ORM, "REQUIRE_DATABASE": True}):
        yield


async def test_a_database_that_cannot_be_reached_is_reported_once(make_alias, caplog):
    alias = make_alias(NAME="no_such_database")
    server = Server(untouched)
    running = server.start()

    assert await server.say("startup") == {"type": "lifespan.startup.complete"}
    opened = [pool_stats(name).idle > 0 for name in ("default", "other", alias)]
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    await running

    (report,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert opened == [True, True, False]
    assert (report.name, report.levelname) == ("turbo_orm", "ERROR")
    assert report.getMessage().startswith(f"Cannot connect to database '{alias}': ")
    assert 'database "no_such_database" does not exist' in report.getMessage()


async def test_a_required_database_that_cannot_be_reached_stops_the_server(make_alias, required):
    alias = make_alias(NAME="no_such_database")
    server = Server(untouched)
    running = server.start()

    answer = await server.say("startup")
    await asyncio.wait_for(running, 5)

    assert answer["type"] == "lifespan.startup.failed"
    assert answer["message"].startswith(f"Cannot connect to database '{alias}'")
    assert 'database "no_such_database" does not exist' in answer["message"]


async def test_a_wrong_setting_stops_the_server(make_alias):
    make_alias(NAME="", OPTIONS={})
    server = Server(untouched)
    running = server.start()

    answer = await server.say("startup")
    await asyncio.wait_for(running, 5)

    assert answer["type"] == "lifespan.startup.failed"


async def test_a_failed_start_up_leaves_no_pool_open(make_alias, required):
    make_alias(NAME="no_such_database")
    server = Server(untouched)
    running = server.start()
    await server.say("startup")
    await running
    assert [pool_stats(alias).size for alias in ("default", "other")] == [0, 0]


async def test_aliases_that_cannot_be_awaited_are_passed_over(make_alias):
    make_alias(ENGINE="django.db.backends.sqlite3", NAME=":memory:")
    server = Server(untouched)
    running = server.start()
    assert await server.say("startup") == {"type": "lifespan.startup.complete"}
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    await running


async def test_every_other_scope_goes_to_the_application():
    calls = []

    async def application(*args):
        calls.append(args)

    scopes = [{"type": "http", "path": "/"}, {"type": "websocket"}]
    receive, send = object(), object()
    for scope in scopes:
        await lifespan(application)(scope, receive, send)
    assert calls == [(scope, receive, send) for scope in scopes]
