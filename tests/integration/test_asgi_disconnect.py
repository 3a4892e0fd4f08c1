"""A client that leaves: its view, query, transaction and stream end, and all is given back."""

import asyncio
import threading

import pytest
from django.conf import settings
from django.core.signals import request_finished
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings

from tests.asgi_client import PATIENCE
from tests.invariant import assert_at_rest
from tests.testapp.models import Author
from tests.waiting import until, until_asleep, until_nobody_sleeps
from turbo_orm import atomic, pool_stats, run_sync
from turbo_orm.asgi import TurboASGIHandler, on_loop


@pytest.fixture(autouse=True)
def listens_at_once():
    """Hear of a client's leaving wherever a view first waits."""
    with override_settings(TURBO_ORM={**settings.TURBO_ORM, "DISCONNECT_PATIENCE": 0}):
        yield


@pytest.fixture
def listens_later(listens_at_once):
    """Be as patient as in production."""
    patient = {**settings.TURBO_ORM}
    del patient["DISCONNECT_PATIENCE"]
    with override_settings(TURBO_ORM=patient):
        yield


@pytest.fixture
def finished():
    """A list of the senders of ``request_finished``."""
    senders = []

    def receiver(sender, **kwargs):
        senders.append(sender)

    request_finished.connect(receiver)
    yield senders
    request_finished.disconnect(receiver)


def sleep_in_database():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")


async def test_a_view_that_waits_is_cancelled(serve, finished):
    waiting, ended = asyncio.Event(), []

    async def view(request):
        waiting.set()
        try:
            await asyncio.sleep(PATIENCE * 2)
        except asyncio.CancelledError:
            ended.append(await Author.objects.acount())
            raise

    exchange = serve({"": view}).begin("/")
    await asyncio.wait_for(waiting.wait(), PATIENCE)
    await exchange.gone()
    assert (ended, finished, await exchange.next_message()) == ([0], [TurboASGIHandler], None)


@pytest.mark.parametrize("kind", ["async", "loop"])
async def test_the_query_of_the_view_is_cancelled_on_the_server(serve, full_pool, finished, kind):
    ended = []

    async def view(request):
        await run_sync(sleep_in_database)

    @on_loop
    def view_on_loop(request):
        try:
            sleep_in_database()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    exchange = serve({"": view if kind == "async" else view_on_loop}).begin("/")
    await until_asleep()
    await exchange.gone()
    await until_nobody_sleeps()
    assert finished == [TurboASGIHandler]
    assert ended == ([] if kind == "async" else ["cancelled"])
    await until(lambda: pool_stats("default").in_use == 0)


async def test_the_transaction_of_the_view_is_rolled_back(serve, finished):
    waiting = asyncio.Event()

    async def view(request):
        async with atomic():
            await Author.objects.acreate(name="Ada")
            waiting.set()
            await asyncio.sleep(PATIENCE * 2)

    exchange = serve({"": view}).begin("/")
    await asyncio.wait_for(waiting.wait(), PATIENCE)
    await exchange.gone()
    assert (await Author.objects.acount(), finished) == (0, [TurboASGIHandler])


async def test_the_request_that_atomic_requests_began_is_rolled_back(serve, monkeypatch, finished):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    waiting = asyncio.Event()

    async def view(request):
        Author.objects.create(name="Ada")
        waiting.set()
        await asyncio.sleep(PATIENCE * 2)

    exchange = serve({"": view}).begin("/")
    await asyncio.wait_for(waiting.wait(), PATIENCE)
    await exchange.gone()
    assert (await Author.objects.acount(), finished) == (0, [TurboASGIHandler])


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_stream_that_nobody_reads_is_closed_and_gives_its_connection_back(
    serve, finished, kind
):
    await Author.objects.abulk_create([Author(name=f"{number}") for number in range(50)])
    ended, closed = [], []

    async def asynchronous():
        try:
            async for author in Author.objects.aiterator(chunk_size=2):
                yield author.name
                await asyncio.sleep(0.001)
        finally:
            ended.append("async")

    def synchronous():
        try:
            for number in range(10_000_000):
                yield f"{number} {Author.objects.count()}"
        finally:
            ended.append("sync")

    class Response(StreamingHttpResponse):
        def close(self):
            super().close()
            closed.append(Author.objects.count())

    async def view(request):
        return Response(asynchronous() if kind == "async" else synchronous())

    exchange = serve({"": view}).begin("/")
    for _ in range(3):
        message = await exchange.next_message()
    await exchange.gone()
    assert message["more_body"] is True
    assert (ended, closed, finished) == ([kind], [50], [TurboASGIHandler])
    await assert_at_rest("default")  # the loop closes the generator inside another one


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "wrapped"])
async def test_a_stream_that_its_client_leaves_is_closed_in_the_task_that_reads_it(
    serve, caplog, wrapped
):
    closed_in = []

    async def names():
        async with atomic():
            await Author.objects.acreate(name="Ada")
            try:
                yield b"name"
            finally:
                closed_in.append(asyncio.current_task())

    async def through(content):
        async for piece in content:
            yield piece

    async def view(request):
        response = StreamingHttpResponse(names())
        if wrapped:
            # As middleware does that compresses.
            response.streaming_content = through(response.streaming_content)
        return response

    client = serve({"": view})
    application = client.application

    async def with_full_buffers(scope, receive, send):
        async def held_up(message):
            await send(message)
            if message.get("body"):
                await asyncio.Event().wait()

        await application(scope, receive, held_up)

    client.application = with_full_buffers
    exchange = client.begin("/")
    assert [(await exchange.next_message())["type"] for _ in range(2)] == [
        "http.response.start",
        "http.response.body",
    ]
    await exchange.gone()
    assert closed_in == [exchange.task]
    assert (await Author.objects.acount(), caplog.messages) == (0, [])


@pytest.mark.needs_thread("the view runs in one")
async def test_a_view_in_a_thread_may_read_the_body_until_it_ends(serve, finished):
    began, go_on, read = threading.Event(), threading.Event(), []

    def view(request):
        began.set()
        assert go_on.wait(PATIENCE)
        read.append(request.body)
        return HttpResponse()

    exchange = serve({"": view}).begin("/", "POST", [b"late"])
    await until(began.is_set)
    exchange.disconnect()
    for _ in range(5):
        await asyncio.sleep(0.005)
    assert not exchange.task.done()
    go_on.set()
    await asyncio.wait_for(exchange.task, PATIENCE)
    assert (read, finished) == ([b"late"], [TurboASGIHandler])


async def test_a_client_that_leaves_before_its_body_is_complete_reaches_no_view(serve, finished):
    async def view(request):
        raise AssertionError("called")

    exchange = serve({"": view}).begin("/", "POST", ())
    exchange._incoming.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
    await exchange.gone()
    assert (await exchange.next_message(), finished) == (None, [])


async def test_a_client_that_leaves_after_its_answer_changes_nothing(serve, finished):
    async def view(request):
        return HttpResponse("whole")

    exchange = serve({"": view}).begin("/")
    response = await exchange.response()
    exchange.disconnect()
    assert (response.text, finished) == ("whole", [TurboASGIHandler])


async def test_a_server_that_cancels_the_request_cancels_its_query(serve):
    requests = []

    async def view(request):
        requests.append(request)
        await run_sync(sleep_in_database)

    exchange = serve({"": view}).begin("/")
    await until_asleep()
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    await until_nobody_sleeps()
    assert [request._stream.closed for request in requests] == [True]


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_server_that_cancels_a_stream_gets_its_connection_back(serve, kind):
    await Author.objects.abulk_create([Author(name=f"{number}") for number in range(50)])
    ended = []

    async def asynchronous():
        try:
            async for author in Author.objects.aiterator(chunk_size=2):
                yield author.name
                await asyncio.sleep(0.001)
        finally:
            ended.append("async")

    def synchronous():
        try:
            for number in range(10_000_000):
                yield f"{number} {Author.objects.count()}"
        finally:
            ended.append("sync")

    async def view(request):
        return StreamingHttpResponse(asynchronous() if kind == "async" else synchronous())

    exchange = serve({"": view}).begin("/")
    for _ in range(3):
        await exchange.next_message()
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    await assert_at_rest("default")
    assert ended == [kind]


async def test_other_requests_go_on_when_one_client_leaves(serve):
    waiting, go_on = [], asyncio.Event()

    async def view(request):
        Author.objects.create(name="Ada")
        waiting.append(request)
        await go_on.wait()
        return HttpResponse(str(Author.objects.count()))

    client = serve({"": view})
    leaves, stays = client.begin("/"), client.begin("/")
    await until(lambda: len(waiting) == 2)
    await leaves.gone()
    go_on.set()
    assert (await stays.response()).text == "2"


@pytest.mark.parametrize(("seconds", "asked"), [(0.0, 1), (0.3, 2)])
async def test_only_a_request_that_takes_long_asks_for_its_client(
    serve, listens_later, seconds, asked
):
    async def view(request):
        await asyncio.sleep(seconds)
        return HttpResponse("here")

    client = serve({"": view})
    received = []
    exchange = client.begin("/", received=received)
    assert (await exchange.response()).text == "here"
    assert len(received) == asked


async def test_without_patience_a_client_that_left_gets_no_answer(serve, finished):
    completed = []

    async def view(request):
        await asyncio.sleep(0.05)
        completed.append(request)

    exchange = serve({"": view}).begin("/")
    await exchange.gone()
    assert (await exchange.next_message(), finished) == (None, [TurboASGIHandler])
    assert completed == []


async def test_a_client_that_left_early_is_missed_later(serve, listens_later, finished):
    async def view(request):
        await asyncio.sleep(PATIENCE * 2)

    exchange = serve({"": view}).begin("/")
    await exchange.gone()
    assert (await exchange.next_message(), finished) == (None, [TurboASGIHandler])
