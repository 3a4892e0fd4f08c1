"""How a request ends: cancelled late, cancelled by its server, with connections it never used."""

import asyncio

import pytest
from django.core.signals import request_finished
from django.db import connections
from django.http import StreamingHttpResponse
from django.test import override_settings

from turbo_orm import atomic, portal, run_sync
from turbo_orm.asgi import TurboASGIHandler
from turbo_orm.asgi.disconnect import UntilDisconnect
from turbo_orm.bridge import await_shielded

pytestmark = pytest.mark.rolled_back


@override_settings(TURBO_ORM={"DISCONNECT_PATIENCE": 0})
async def test_a_cancellation_that_came_during_a_commit_does_not_reach_the_server():
    async def receive():
        await asyncio.sleep(0.005)
        return {"type": "http.disconnect"}

    async def request():
        async with UntilDisconnect(receive):
            await_shielded(asyncio.sleep(0.02), grace=5)
        return "left"

    assert await portal(request()) == "left"


async def test_a_stream_that_its_server_cancels_is_closed_and_ends_its_request(serve):
    finished, begun = [], asyncio.Event()

    async def endless():
        while True:
            yield b"more"
            begun.set()
            await asyncio.sleep(0.001)

    async def view(request):
        return StreamingHttpResponse(endless())

    def note(sender, **kwargs):
        finished.append(sender)

    request_finished.connect(note)
    try:
        exchange = serve({"": view}).begin("/")
        await begun.wait()
        exchange.task.cancel()
        await asyncio.wait({exchange.task})
    finally:
        request_finished.disconnect(note)

    assert exchange.task.cancelled()
    assert finished == [TurboASGIHandler]


@pytest.mark.commits
async def test_only_connections_that_were_used_count_as_initialised():
    def used():
        return [connection.alias for connection in connections.all(initialized_only=True)]

    def around_a_query():
        before = used()
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        return before, used()

    assert await run_sync(around_a_query) == ([], ["default"])
    async with atomic("other"):
        assert await run_sync(used) == ["other"]
