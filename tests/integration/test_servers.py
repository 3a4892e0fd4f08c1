"""The handler under each ASGI server, as a process of its own."""

import asyncio
import hashlib

import pytest
from django.db import connection

from tests.faults.proxy import Proxy
from tests.served.client import Connection
from tests.served.process import COMMANDS, Served
from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import run_sync

BODY = bytes(range(256)) * 400
DIGEST = f"{len(BODY)} {hashlib.sha256(BODY).hexdigest()}"
# Daphne has no lifespan: pools open with the first query there.
WITH_LIFESPAN = [name for name in COMMANDS if name != "daphne"]
# What Python, asyncio and psycopg complain of when something is not closed.
SIGNS_OF_LOSS = ("Traceback", "ResourceWarning", "was destroyed", "never awaited")


def backends(server, state="%"):
    """Return what the backends of a server are doing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE application_name = %s AND state LIKE %s",
            [server.application_name, state],
        )
        return [row[0] for row in cursor.fetchall()]


async def at_work(server):
    return await run_sync(backends, server, "active")


async def sleeps(server):
    """Tell whether the view has come to its slow query, and nothing else is under way."""
    return await at_work(server) == ["SELECT pg_sleep(600.0)"]


async def has_left(server):
    return not await run_sync(backends, server)


async def chunked(client, path, body):
    """Send a body in chunks of no stated length in all."""
    client.send("POST", path, Content_Length="", Transfer_Encoding="chunked")
    for start in range(0, len(body), 30_000):
        part = body[start : start + 30_000]
        client.writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        await client.writer.drain()
    client.writer.write(b"0\r\n\r\n")
    return await client.answer()


@pytest.fixture
async def refusing():
    """A proxy that refuses connections to the database."""
    async with Proxy() as proxy:
        await proxy.refuse()
        yield proxy


def through(proxy, **turbo_orm):
    """Return the settings for a database behind a proxy."""
    database = {"HOST": "127.0.0.1", "PORT": str(proxy.port)}
    return {"DATABASE": database, "TURBO_ORM": turbo_orm}


@pytest.mark.timeout(150)
@pytest.mark.parametrize("server", COMMANDS)
async def test_a_server_from_its_start_without_a_database_to_its_stop(server, refusing):
    """One process of each for all of it: to start one takes longer than what it is asked."""
    await Author.objects.abulk_create(Author(name=f"{number}") for number in range(1000))
    async with Served(server, settings=through(refusing)) as served:
        await it_serves_what_needs_no_database_until_there_is_one(server, served, refusing)
        await it_serves_queries_bodies_and_streams(server, served)
        await a_client_that_leaves_ends_its_query_and_gives_its_connection_back(served)
        await a_stop_lets_the_request_under_way_finish_and_leaves_nothing_open(server, served)


async def it_serves_what_needs_no_database_until_there_is_one(server, served, refusing):
    assert (await served.get("/author/1/")).status == 500
    assert (await served.get("/empty/")).text == "empty"
    # Once, at the start or with the first query.
    told = [line for line in served.said().splitlines() if line.startswith("Cannot connect to")]
    assert len(told) == 1

    await refusing.accept()

    async def found():
        return (await served.get("/author/1/")).status == 200

    await until(found)


async def it_serves_queries_bodies_and_streams(server, served):
    assert (await served.state())["pool"]["size"] > 0
    async with Connection(served.port) as client:
        kept = await client.ask("GET", "/port/")
        assert (await client.ask("GET", "/author/7/")).text == "6"
        assert (await client.ask("HEAD", "/author/7/")).body == b""
        assert (await client.ask("GET", "/no/such/page/")).status == 404
        assert (await client.ask("POST", "/upload/", BODY)).text == DIGEST
        assert (await chunked(client, "/upload/", BODY)).text == DIGEST
        stream = (await client.ask("GET", "/stream/")).text
        assert [line.split(":")[0] for line in stream.splitlines()] == [
            f"{number}" for number in range(1000)
        ]
        assert (await client.ask("GET", "/port/")).text == kept.text
    assert (await served.get("/at-rest/")).text == "at rest"
    # A request without a view runs in a thread.
    missing = {"InThread._respond": 1, "HttpResponseBase.close": 1}
    assert (await served.state())["hops"] == missing


async def a_client_that_leaves_ends_its_query_and_gives_its_connection_back(served):
    async with Connection(served.port) as client:
        client.send("GET", "/pair/1/?seconds=600")
        await until(lambda: sleeps(served))

    async def all_ended():
        state = await served.state()
        return state["started"] == state["finished"]

    await until(all_ended)
    assert await at_work(served) == []
    assert await Author.objects.filter(name="pair").acount() == 0
    assert (await served.get("/at-rest/")).text == "at rest"


async def a_stop_lets_the_request_under_way_finish_and_leaves_nothing_open(server, served):
    before = len(served.said())
    async with Connection(served.port) as client:
        client.send("GET", "/pair/1/?seconds=1")
        await until(lambda: at_work(served))
        served.terminate()
        if server == "daphne":  # it stops at once
            with pytest.raises(asyncio.IncompleteReadError):
                await client.answer()
            rows = 0
        else:
            assert (await client.answer()).text == "both"
            rows = 2
        await served.ended()
        await until(lambda: has_left(served))
    said = served.said()[before:]
    assert ("shut down with 0 connections" in said) == (server in WITH_LIFESPAN)
    assert [word for word in SIGNS_OF_LOSS if word in said] == [], said
    assert await Author.objects.filter(name="pair").acount() == rows


@pytest.mark.parametrize("server", WITH_LIFESPAN)
async def test_without_a_database_that_is_required_it_does_not_start(server, refusing):
    served = Served(server, settings=through(refusing, REQUIRE_DATABASE=True))
    try:
        code = await served.ended()
        # Hypercorn does not say of its worker how it ended.
        assert code != 0 or server == "hypercorn"
        assert "Cannot connect to database 'default'" in served.said()
    finally:
        await served.__aexit__()
