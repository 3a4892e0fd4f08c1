"""The threads of requests with synchronous views: how many, whose, and how they end."""

import asyncio
import contextvars
import multiprocessing
import threading

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from tests.asgi_client import PATIENCE, Client
from tests.integration.test_asgi_application import Server
from tests.integration.test_asgi_views import backend_pid, wait_until_gone
from tests.testapp.models import Author
from tests.waiting import until, until_now
from turbo_orm import close_pools
from turbo_orm.asgi import TurboASGIHandler, kept_threads
from turbo_orm.asgi.threads import _threads, close_threads, threads_of_running_loop

pytestmark = pytest.mark.needs_thread("threads are what the test is about")


@pytest.fixture(autouse=True)
def listens_at_once():
    with override_settings(TURBO_ORM={"DISCONNECT_PATIENCE": 0, "SYNC_THREADS": 2}):
        yield


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Let requests wait for a thread however slow the machine is."""
    monkeypatch.setattr(kept_threads, "STALLED_AFTER", 10 * PATIENCE)


@pytest.fixture
def impatient(monkeypatch, patient):
    """Let more threads be started at once where requests wait for one."""
    monkeypatch.setattr(kept_threads, "STALLED_AFTER", 0.01)


@pytest.fixture(autouse=True)
async def no_thread_left():
    """End the threads after each test, and see that they do."""
    yield
    await close_threads()
    await until(lambda: not names_of_threads())


def names_of_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("turbo_orm-view")]


class Gate:
    """A view that stays in its thread until it is let go on."""

    def __init__(self):
        self.inside, self.most, self.ended = 0, 0, []
        self.lock, self.go_on = threading.Lock(), threading.Event()

    def __call__(self, request):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        assert self.go_on.wait(PATIENCE)
        with self.lock:
            self.inside -= 1
            self.ended.append(request.GET.get("name"))
        return HttpResponse(f"{request.GET.get('name')} {Author.objects.count()}")

    async def entered(self, number):
        await until(lambda: self.inside == number)


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.go_on.set()


async def test_no_more_requests_run_at_once_than_there_may_be_threads(serve, gate):
    client = serve({"": gate})
    exchanges = [client.begin(f"/?name={number}") for number in range(6)]
    await gate.entered(2)
    for _ in range(10):
        await asyncio.sleep(0.005)
    gate.go_on.set()
    answers = [(await exchange.response()).text for exchange in exchanges]
    assert answers == [f"{number} 0" for number in range(6)]
    assert (gate.most, len(names_of_threads())) == (2, 2)


class OwnServer:
    """Views that ask the server that they are served by, and wait for its answer."""

    def __init__(self):
        self.loop, self.pids, self.client = asyncio.get_running_loop(), set(), None

    def urls(self):
        return [path("<int:depth>/<name>/", self.view)]

    def view(self, request, depth, name):
        self.pids.add(backend_pid())
        if depth == 0:
            return HttpResponse(f"answer to {name}")
        asking = contextvars.Context().run(
            asyncio.run_coroutine_threadsafe, self.client.get(f"/{depth - 1}/{name}/"), self.loop
        )
        return HttpResponse(asking.result(PATIENCE).body)

    async def answers(self, application, number, depth):
        self.client = Client(application)
        asked = [self.client.get(f"/{depth}/{name}/") for name in range(number)]
        return [response.text for response in await asyncio.gather(*asked)]


@pytest.mark.parametrize(("number", "depth"), [(2, 1), (3, 1), (9, 1), (3, 3)])
async def test_views_that_wait_for_their_own_server_are_answered_however_many_there_are(
    serve, impatient, monkeypatch, number, depth
):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    own = OwnServer()
    client = serve(own.urls())
    ours = await own.answers(client.application, number, depth)
    await until(lambda: len(names_of_threads()) == 2)
    of_ours = list(own.pids)
    await close_threads()
    for pid in of_ours:
        await wait_until_gone(pid)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    assert ours == await own.answers(ASGIHandler(), number, depth)


async def test_threads_are_added_only_if_none_comes_back_and_then_twice_as_many_each_time():
    threads = threads_of_running_loop()
    asking = [asyncio.create_task(threads.acquire()) for _ in range(20)]
    had = []
    for came_back in (0, 0, 0, 1, 0, 0, 1, 0):
        for _ in range(came_back):
            threads.release(asking.pop(0).result())
        await asyncio.sleep(0)
        had.append(sum(each.done() for each in asking))
        threads._relieve()
    assert had == [2, 3, 5, 9, 9, 10, 12, 12]
    for each in asking:
        threads.release(await each)
    assert (threads._in_use, len(threads._idle)) == (0, 2)


async def test_who_gives_up_waiting_for_a_thread_takes_none_away():
    threads = threads_of_running_loop()
    used = [await threads.acquire() for _ in range(2)]
    waiting = [asyncio.create_task(threads.acquire()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    threads.release(used[0])  # goes to the second
    threads.release(used[1])  # goes to the third, which is cancelled at the same time
    waiting[2].cancel()
    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [
        asyncio.CancelledError,
        kept_threads.RequestThread,
        asyncio.CancelledError,
    ]
    dropped = threads.acquire()
    used = [await threads.acquire(), waiting[1].result()]
    dropped.send(None)
    dropped.close()
    for each in used:
        threads.release(each)
    assert (threads._in_use, len(threads._idle), len(threads._waiting)) == (0, 2, 0)


async def test_coroutine_views_are_served_while_all_threads_are_in_use(serve, gate):
    async def view(request):
        return HttpResponse("at once")

    client = serve({"": gate, "coroutine": view})
    exchanges = [client.begin(f"/?name={number}") for number in range(3)]
    await gate.entered(2)
    assert (await client.get("/coroutine")).text == "at once"
    gate.go_on.set()
    for exchange in exchanges:
        assert (await exchange.response()).status == 200


@pytest.fixture
def signals():
    """Where each signal of a request is received."""
    seen = []

    def started(sender, **kwargs):
        seen.append(("started", sender, threading.current_thread().name.rpartition("_")[0]))

    def finished(sender, **kwargs):
        seen.append(("finished", sender, threading.current_thread().name.rpartition("_")[0]))

    request_started.connect(started)
    request_finished.connect(finished)
    yield seen
    request_started.disconnect(started)
    request_finished.disconnect(finished)


async def test_a_client_that_leaves_while_it_waits_for_a_thread_reaches_no_view(
    serve, gate, signals
):
    client = serve({"": gate})
    inside = [client.begin(f"/?name={number}") for number in range(2)]
    await gate.entered(2)
    waiting = client.begin("/?name=waiting")
    await asyncio.sleep(0)
    await waiting.gone()
    gate.go_on.set()
    for exchange in inside:
        assert (await exchange.response()).status == 200
    assert sorted(gate.ended) == ["0", "1"]
    assert sorted(event for event, *_ in signals) == ["finished"] * 2 + ["started"] * 2


async def test_a_view_whose_client_leaves_ends_and_its_response_is_closed_in_its_thread(
    serve, gate, signals
):
    closed = []

    def view(request):
        response = gate(request)
        Author.objects.create(name="written all the same")
        response._resource_closers.append(
            lambda: closed.append(threading.current_thread().name.rpartition("_")[0])
        )
        return response

    exchange = serve({"": view}).begin("/?name=left")
    await gate.entered(1)
    exchange.disconnect()
    for _ in range(5):
        await asyncio.sleep(0.005)
    assert (exchange.task.done(), closed) == (False, [])
    gate.go_on.set()
    await asyncio.wait_for(exchange.task, PATIENCE)
    (thread,) = closed
    assert signals == [(event, TurboASGIHandler, thread) for event in ("started", "finished")]
    assert await exchange.next_message() is None
    assert await Author.objects.acount() == 1


async def test_a_server_that_gives_up_a_request_gets_its_thread_back_when_that_is_free(serve, gate):
    client = serve({"": gate})
    exchange = client.begin("/?name=given up")
    await gate.entered(1)
    while not exchange.task.done():
        exchange.task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    threads = threads_of_running_loop()
    assert threads._idle == []
    others = [client.begin(f"/?name={number}") for number in range(2)]
    await gate.entered(2)  # the one given up, and one of the others
    gate.go_on.set()
    for other in others:
        assert (await other.response()).status == 200
    await until(lambda: len(threads._idle) == 2)
    assert gate.most == 2


async def test_a_stream_that_its_client_leaves_is_closed_in_its_thread(serve, signals):
    closed = []

    def view(request):
        def parts():
            try:
                while True:
                    yield f"{Author.objects.count()}"
            finally:
                closed.append(threading.current_thread().name.rpartition("_")[0])

        return StreamingHttpResponse(parts())

    exchange = serve({"": view}).begin("/")
    for _ in range(3):
        message = await exchange.next_message()
    assert message["more_body"] is True
    await exchange.gone()
    (thread,) = closed
    assert signals == [(event, TurboASGIHandler, thread) for event in ("started", "finished")]


async def test_the_end_of_the_server_closes_the_connections_that_threads_keep(serve, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)

    def view(request):
        return HttpResponse(str(backend_pid()))

    client = serve({"": view})
    server = Server(client.application)
    await server.say("startup")
    pids = {int((await client.get("/")).text) for _ in range(3)}
    assert (len(pids), len(names_of_threads())) == (1, 1)
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    await server.running
    await wait_until_gone(*pids)
    await until(lambda: not names_of_threads())


async def test_an_exception_that_reaches_the_server_leaves_no_connection_behind(serve):
    pids = []

    def view(request):
        pids.append(backend_pid())
        raise LookupError("for the server")

    client = serve({"": view}, DEBUG_PROPAGATE_EXCEPTIONS=True)
    with pytest.raises(LookupError, match="for the server"):
        await client.get("/")
    await wait_until_gone(*pids)


def test_threads_and_their_connections_end_with_their_loop(serve, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)

    async def one():
        def view(request):
            return HttpResponse(str(backend_pid()))

        return int((await serve({"": view}).get("/")).text)

    pid = asyncio.run(one())
    until_now(lambda: not names_of_threads())
    asyncio.run(wait_until_gone(pid))


def test_the_threads_of_a_loop_that_was_just_closed_end_with_the_next_loop(serve):
    async def one():
        def view(request):
            return HttpResponse("answered")

        return (await serve({"": view}).get("/")).text

    async def ended():
        threads_of_running_loop()
        await until(lambda: not names_of_threads())

    loop = asyncio.new_event_loop()
    answered = loop.run_until_complete(one())
    loop.run_until_complete(close_pools())
    loop.close()
    assert (answered, len(names_of_threads())) == ("answered", 1)
    asyncio.run(ended())


def in_child(sending):
    sending.send(len(_threads))


async def test_a_forked_process_forgets_the_threads_of_its_parent(serve):
    def view(request):
        receiving, sending = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=in_child, args=[sending])
        child.start()
        try:
            assert receiving.poll(PATIENCE)
            return HttpResponse(str(receiving.recv()))
        finally:
            child.join(PATIENCE)

    assert (await serve({"": view}).get("/")).text == "0"
    assert len(_threads) == 1
