"""The ASGI application as a whole: signals, error pages, static files, lifespan, set-up."""

import asyncio

import django
import pytest
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import connections
from django.http import HttpResponse
from django.test import modify_settings

from tests.asgi_client import PATIENCE, Client
from tests.middleware import place
from tests.testapp.models import Author
from turbo_orm import pool_stats
from turbo_orm.asgi import TurboASGIHandler, get_asgi_application

SIGNALS = {
    "started": request_started,
    "finished": request_finished,
    "exception": got_request_exception,
}


async def view(request):
    if "fail" in request.GET:
        raise LookupError("in the view")
    return HttpResponse(str(Author.objects.count()))


@pytest.fixture
def listen():
    """Return a function that connects a receiver to each of the request's signals."""
    connected = []

    def connect(make):
        for name, signal in SIGNALS.items():
            receiver = make(name)
            connected.append((signal, receiver))
            signal.connect(receiver)

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


async def test_signals_are_sent_once_with_the_handlers_class_in_the_bridge(serve, listen):
    seen = []

    def make(name):
        def receiver(sender, **kwargs):
            seen.append((name, sender, place(), Author.objects.count(), sorted(kwargs)))

        return receiver

    listen(make)
    await Author.objects.acreate(name="Ada")
    client = serve({"": view})
    await client.get("/")
    await client.get("/?fail")

    started = ("started", TurboASGIHandler, "bridge", 1, ["scope", "signal"])
    finished = ("finished", TurboASGIHandler, "bridge", 1, ["signal"])
    failed = ("exception", None, "bridge", 1, ["request", "signal"])
    assert seen == [started, finished, started, failed, finished]


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django never awaits them before 5.0")
async def test_receivers_may_be_coroutine_functions(serve, listen):
    seen = []

    def make(name):
        async def receiver(sender, **kwargs):
            await asyncio.sleep(0)
            seen.append((name, sender, await Author.objects.acount(), Author.objects.count()))

        return receiver

    listen(make)
    await serve({"": view}).get("/?fail")
    assert seen == [
        ("started", TurboASGIHandler, 0, 0),
        ("exception", None, 0, 0),
        ("finished", TurboASGIHandler, 0, 0),
    ]


async def test_the_technical_page_shows_the_view_and_its_variables(serve):
    async def failing(request):
        author = Author.objects.create(name="Ada Lovelace")
        raise LookupError(f"no article of {author.pk}")

    response = await serve({"": failing}, DEBUG=True).get("/")
    assert response.status == 500
    for expected in ("LookupError", "no article of 1", "in failing", "Ada Lovelace"):
        assert expected.replace(" ", "&nbsp;") in response.text or expected in response.text


@pytest.mark.needs_thread("a request without a view runs in one")
async def test_the_technical_page_of_what_is_missing_shows_the_patterns(serve):
    response = await serve({"articles/": view}, DEBUG=True).get("/authors")
    assert response.status == 404
    assert "articles/" in response.text
    assert "Using the URLconf defined in" in response.text


@pytest.mark.needs_thread("a request without a view runs in one")
async def test_a_missing_page_gets_the_projects_template(serve, templates):
    templates["404.html"] = "{{ request.path }} is not here"
    response = await serve({"": view}).get("/nowhere")
    assert (response.status, response.text) == (404, "/nowhere is not here")


@pytest.mark.needs_thread("Django's handler of static files reads them in one")
async def test_the_handler_of_static_files_serves_them(serve, tmp_path):
    (tmp_path / "x.css").write_text("body {}")
    client = serve({"": view}, DEBUG=True, STATIC_URL="/static/", STATICFILES_DIRS=[str(tmp_path)])
    with modify_settings(INSTALLED_APPS={"append": "django.contrib.staticfiles"}):
        static = Client(ASGIStaticFilesHandler(client.application))
        found = await static.get("/static/x.css")
        missing = await static.get("/static/y.css")
    assert (found.status, found.text, found["Content-Type"]) == (200, "body {}", "text/css")
    assert missing.status == 404


async def test_the_handler_of_static_files_passes_everything_else(serve):
    client = serve({"": view}, STATIC_URL="/static/")
    server = Server(ASGIStaticFilesHandler(client.application))
    assert await server.say("startup") == {"type": "lifespan.startup.complete"}
    assert (await Client(server.application).get("/")).text == "0"
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    await server.running


def test_the_application_wants_turbo_orm_to_be_installed():
    with modify_settings(INSTALLED_APPS={"remove": "turbo_orm"}):
        with pytest.raises(ImproperlyConfigured, match="add 'turbo_orm' to INSTALLED_APPS"):
            get_asgi_application()


async def test_other_protocols_are_refused_as_django_refuses_them(serve):
    application = serve({"": view}).application
    for handler in (application, ASGIHandler()):
        with pytest.raises(ValueError, match="Django can only handle ASGI/HTTP connections"):
            await handler({"type": "websocket"}, None, None)


class Server:
    """The server's side of the lifespan protocol."""

    def __init__(self, application):
        self.application = application
        self._received, self._sent = asyncio.Queue(), asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        self.running = asyncio.create_task(application(scope, self._received.get, self._sent.put))

    async def say(self, event):
        await self._received.put({"type": f"lifespan.{event}"})
        return await asyncio.wait_for(self._sent.get(), PATIENCE)


async def test_the_application_opens_the_pools_and_closes_them(serve):
    server = Server(serve({"": view}).application)
    assert await server.say("startup") == {"type": "lifespan.startup.complete"}
    assert [pool_stats(alias).idle > 0 for alias in ("default", "other")] == [True, True]
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    assert [pool_stats(alias).size for alias in ("default", "other")] == [0, 0]
    await server.running


async def test_shut_down_waits_for_the_requests_under_way(serve):
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request):
        waiting.set()
        await go_on.wait()
        return HttpResponse(str(await Author.objects.acount()))

    client = serve({"": slow})
    server = Server(client.application)
    await server.say("startup")
    exchange = client.begin("/")
    await asyncio.wait_for(waiting.wait(), PATIENCE)
    stopping = asyncio.create_task(server.say("shutdown"))
    for _ in range(10):
        await asyncio.sleep(0.005)
    assert (stopping.done(), pool_stats("default").size > 0) == (False, True)
    go_on.set()
    assert await stopping == {"type": "lifespan.shutdown.complete"}
    assert ((await exchange.response()).text, pool_stats("default").size) == ("0", 0)
    await server.running


async def test_shut_down_waits_no_longer_than_the_settings_say(serve):
    waiting = asyncio.Event()

    async def endless(request):
        waiting.set()
        await asyncio.sleep(PATIENCE * 5)

    client = serve({"": endless}, TURBO_ORM={"CLEANUP_TIMEOUT": 0.05})
    server = Server(client.application)
    exchange = client.begin("/")
    await asyncio.wait_for(waiting.wait(), PATIENCE)
    assert await server.say("shutdown") == {"type": "lifespan.shutdown.complete"}
    assert not exchange.task.done()
    await exchange.gone()
    await server.running


async def test_requests_are_served_where_the_server_has_no_lifespan(serve):
    assert (await serve({"": view}).get("/")).text == "0"
    assert pool_stats("default").size > 0


async def test_requests_side_by_side_each_have_their_own_context(serve):
    async def each(request):
        async def user():
            await asyncio.sleep(0)
            return request.GET["name"]

        author = Author.objects.create(name=await user())
        await asyncio.sleep(0)
        assert not connections["default"].in_atomic_block
        return HttpResponse(Author.objects.get(pk=author.pk).name)

    client = serve({"": each})
    answers = await asyncio.gather(*(client.get(f"/?name={number}") for number in range(20)))
    assert [answer.text for answer in answers] == [str(number) for number in range(20)]
