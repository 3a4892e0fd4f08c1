"""What Django's handler and middleware do beside the view, on the loop."""

import asyncio
import gc
import threading
import warnings

import django
import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.http import HttpResponse, StreamingHttpResponse
from django.middleware.cache import UpdateCacheMiddleware
from django.test import AsyncRequestFactory, override_settings
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

from tests.integration.test_asgi_views import backend_pid, wait_until_gone
from tests.integration.test_redirect_caches import CACHES
from tests.testapp.models import Plain
from turbo_orm import run_sync
from turbo_orm.patches import blocking

pytestmark = pytest.mark.rolled_back

MODULE = "tests.integration.test_redirect_serving"


class Counting(MiddlewareMixin):
    """Synchronous hooks that query."""

    def process_request(self, request):
        request.seen = [threading.current_thread(), Plain.objects.count()]

    def process_response(self, request, response):
        response["Seen"] = f"{request.seen[1]} {Plain.objects.count()}"
        response["Thread"] = str({*request.seen[:1]} == {threading.main_thread()})
        return response


async def counted(request):
    await Plain.objects.acreate(name="made by the view")
    return HttpResponse("body")


async def received(request):
    return HttpResponse(str(len(request.read())))


urlpatterns = [path("", counted), path("upload/", received)]


async def test_hooks_of_a_middleware_in_coroutine_mode_query_in_the_bridge():
    middleware = Counting(counted)
    response = await middleware(AsyncRequestFactory().get("/"))

    assert (response["Seen"], response["Thread"]) == ("0 1", "True")


def answered(method="GET", path="/", body=b"", pieces=1):
    """An ASGI scope, what the client sends, and the list that takes what it gets."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(b"content-length", str(len(body)).encode())],
        "query_string": b"",
    }
    size = len(body) // pieces
    waiting = [
        {
            "type": "http.request",
            "body": body[n * size : (n + 1) * size],
            "more_body": n < pieces - 1,
        }
        for n in range(pieces)
    ]
    return scope, waiting, []


async def ask(handler, scope, waiting, sent):
    async def receive():
        return waiting.pop(0) if waiting else await asyncio.get_running_loop().create_future()

    async def send(message):
        sent.append(message)

    await handler(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


@pytest.fixture
def served():
    with override_settings(ROOT_URLCONF=MODULE, MIDDLEWARE=[f"{MODULE}.Counting"]):
        handler = ASGIHandler()
        yield handler


@pytest.fixture
def signals():
    """Where the request signals were received, with a query by each receiver."""
    seen = []

    def receiver(signal, **kwargs):
        name = "started" if signal is request_started else "finished"
        seen.append((name, threading.current_thread() is threading.main_thread()))
        seen.append(Plain.objects.count())

    for signal in (request_started, request_finished):
        signal.connect(receiver)
    yield seen
    for signal in (request_started, request_finished):
        signal.disconnect(receiver)


@pytest.mark.commits
async def test_djangos_own_handler_needs_no_thread_for_a_coroutine_view(served, signals):
    assert await ask(served, *answered()) == b"body"
    assert signals == [("started", True), 0, ("finished", True), 1]


@pytest.fixture
def collecting_nothing():
    """Let no connection be closed for want of anybody who knows it."""
    gc.disable()
    yield
    gc.enable()


def in_thread(get_response):
    """Be a synchronous middleware: Django runs it in a thread, which waits for the view."""

    def middleware(request):
        pids.append(backend_pid())
        return get_response(request)

    return middleware


async def coroutine(request):
    pids.append(await sync_to_async(backend_pid)())
    pids.append(await run_sync(backend_pid))
    return HttpResponse("body")


def synchronous(request):
    pids.append(backend_pid())
    return HttpResponse("body")


pids = []


@pytest.mark.commits
@pytest.mark.needs_thread("what is tested")
@pytest.mark.parametrize("view", [coroutine, synchronous])
async def test_djangos_own_handler_closes_the_connections_of_the_requests_thread(
    view, collecting_nothing
):
    pids.clear()
    urls = (path("", view),)
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[f"{MODULE}.in_thread"]):
        assert await ask(ASGIHandler(), *answered()) == b"body"

    # As in Django: all that is synchronous is in the one thread, and who it waits for is too.
    assert len(set(pids)) == 1
    await wait_until_gone(pids[0])


@pytest.mark.commits
@pytest.mark.needs_thread("an upload is written to the disk")
@pytest.mark.may_block("the view reads it from there")
@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django spools on the loop before 6.0")
async def test_an_upload_is_spooled_to_the_disk_in_a_thread(served, monkeypatch):
    import asgiref.sync

    hops, call = [], asgiref.sync.SyncToAsync.__call__

    async def note(self, *args, **kwargs):
        hops.append(self.func.__name__)
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", note)
    with override_settings(FILE_UPLOAD_MAX_MEMORY_SIZE=10):
        body = await ask(served, *answered("POST", "/upload/", b"x" * 100, pieces=4))

    assert (body, hops) == (b"100", ["write"] * len(hops))
    assert len(hops) >= 1


async def test_a_stream_of_coroutines_is_consumed_synchronously_in_the_bridge():
    async def rows():
        async for row in Plain.objects.order_by("pk"):
            yield row.name

    await Plain.objects.abulk_create([Plain(name="a"), Plain(name="b")])
    response = StreamingHttpResponse(rows())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django warns that it consumes it whole
        assert await run_sync(lambda: b"".join(response)) == b"ab"


async def test_a_middleware_in_front_of_a_cache_beyond_a_network_blocks():
    with override_settings(CACHES=CACHES):
        for alias, expected in {"default": False, "database": False, "memcached": True}.items():
            with override_settings(CACHE_MIDDLEWARE_ALIAS=alias):
                assert blocking.blocks(UpdateCacheMiddleware(counted)) is expected


async def greet(name):
    return f"hello {name}: {await Plain.objects.acount()}"


@pytest.mark.skipif(django.VERSION < (6, 0), reason="tasks came with Django 6.0")
async def test_a_coroutine_task_is_called_synchronously_in_the_bridge():
    from django.tasks import task

    assert await run_sync(task(greet).call, "ann") == "hello ann: 0"
    result = await run_sync(task(greet).enqueue, "ann")
    assert result.return_value == "hello ann: 0"
