"""A request whose view is synchronous runs whole in its thread, as under Django's WSGI handler."""

import asyncio
import contextvars
import threading
from dataclasses import dataclass

import django
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin

from tests.serving.client import Client, Step
from tests.serving.wsgi import WSGIClient
from tests.testapp.models import Author
from turbo_orm import in_bridge
from turbo_orm.asgi.threads import close_threads

pytestmark = pytest.mark.needs_thread("that is where such a request runs")

MODULE = __name__


@dataclass(frozen=True)
class Place:
    """Where code runs: in which thread, on which connection."""

    thread: int
    backend: int | None


def backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


noted = []


def note(event, *more):
    noted.append((event, Place(threading.get_ident(), backend()), *more))


@pytest.fixture(autouse=True)
def nothing_noted():
    noted.clear()


@pytest.fixture
def listening():
    """Note the signals of a request."""

    def started(sender, **kwargs):
        note("started")

    def finished(sender, **kwargs):
        # Django's own receiver has closed the connection by now.
        noted.append(("finished", Place(threading.get_ident(), None)))

    request_started.connect(started)
    request_finished.connect(finished)
    yield
    request_started.disconnect(started)
    request_finished.disconnect(finished)


async def ask(client, path="/", **more):
    """Send a request; return its answer, and the events, if all of them happened at one place."""
    noted.clear()
    answer = await client.request(Step("", path, **more))
    threads = {place.thread for _, place, *_ in noted}
    backends = {place.backend for _, place, *_ in noted} - {None}
    assert (len(threads), len(backends)) in {(0, 0), (1, 1)}, noted
    assert threading.get_ident() not in threads
    return answer, [(event, *more) for event, _, *more in noted]


async def answers(serve, path="/", *, views=None, **options):
    """Return what ours and Django's WSGI handler do in one request."""
    ours = Client(serve(views, **options).application)
    return [await ask(client, path) for client in (ours, WSGIClient(WSGIHandler()))]


def paths(*names):
    return [f"{MODULE}.{name}" for name in names]


kept = threading.local()
varied = contextvars.ContextVar("varied", default="nothing")


class Noting(MiddlewareMixin):
    """Leave something in a thread-local and in the context, as packages do."""

    def process_request(self, request):
        kept.user = request.GET.get("user")
        varied.set("by the middleware")
        note("request")

    def process_view(self, request, view, args, kwargs):
        note("view hook", view.__name__)

    def process_response(self, request, response):
        note("response", kept.answered, varied.get())
        return response


def noting_view(request):
    note("view", kept.user, varied.get())
    kept.answered = f"answer for {kept.user}"
    varied.set("by the view")
    response = HttpResponse(f"user {kept.user}")
    response._resource_closers.append(lambda: note("closed", kept.user, varied.get()))
    return response


async def test_signals_middleware_view_and_closers_have_one_thread_and_connection(serve, listening):
    ours, stock = await answers(
        serve, "/?user=ada", views={"": noting_view}, middleware=paths("Noting")
    )
    assert ours == stock
    assert ours[0].body == b"user ada"
    assert ours[1] == [
        ("started",),
        ("request",),
        ("view hook", "noting_view"),
        ("view", "ada", "by the middleware"),
        ("response", "answer for ada", "by the view"),
        ("closed", "ada", "by the view"),
        ("finished",),
    ]


def streamed(request):
    def parts():
        for number in range(3):
            note("part", kept.user)
            yield f"{number} "

    return StreamingHttpResponse(parts())


async def test_the_pieces_of_a_stream_are_made_there_too(serve, listening):
    ours, stock = await answers(
        serve, "/?user=ada", views={"": streamed}, middleware=paths("Keeping")
    )
    assert ours == stock
    assert ours[0].body == b"0 1 2 "
    assert [event for event, *_ in ours[1]] == ["started", *["part"] * 3, "finished"]


class Keeping(MiddlewareMixin):
    def process_request(self, request):
        kept.user = request.GET.get("user")


class Rollback:
    """Roll back what the view did, as a dry run does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with transaction.atomic():
            Author.objects.filter(name="kept").update(age=1)
            response = self.get_response(request)
            Author.objects.filter(name="kept").update(age=3)
            transaction.set_rollback("commit" not in request.GET)
        return response


def writing(request):
    Author.objects.filter(name="kept").update(age=2)
    Author.objects.create(name="by the view")
    return HttpResponse(str(connection.in_atomic_block))


def writing_by_a_coroutine(request):
    async def work():
        found = await Author.objects.aget(name="kept")
        await Author.objects.filter(name="kept").aupdate(age=2)
        await Author.objects.acreate(name="by the view")
        # The middleware's, which nobody else can see.
        return found.age == 1

    return HttpResponse(str(async_to_sync(work)()))


@pytest.mark.parametrize("atomic_requests", [False, True])
@pytest.mark.parametrize("view", [writing, writing_by_a_coroutine])
async def test_a_transaction_of_middleware_holds_what_the_view_writes(
    serve, monkeypatch, view, atomic_requests
):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic_requests)
    await Author.objects.acreate(name="kept", age=0)
    options = {"views": {"": view}, "middleware": paths("Rollback")}
    for answer, _ in await answers(serve, **options):
        assert answer.body == b"True"
        assert [a.name async for a in Author.objects.order_by("pk")] == ["kept"]
        assert (await Author.objects.aget()).age == 0
    for answer, _ in await answers(serve, "/?commit", **options):
        assert answer.body == b"True"
    assert await Author.objects.filter(name="by the view").acount() == 2
    assert (await Author.objects.aget(name="kept")).age == 3


def where(request):
    return HttpResponse(f"{threading.get_ident()} {backend()}")


async def test_a_thread_is_used_again_and_its_connection_is_closed_in_between(serve):
    client = Client(serve({"": where}).application)
    bodies = [(await client.request(Step("", "/"))).body.split() for _ in range(4)]
    threads, backends = zip(*bodies, strict=True)
    assert (len(set(threads)), len(set(backends))) == (1, 4)


async def test_a_connection_that_may_grow_old_is_used_again(serve, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    client = Client(serve({"": where}).application)
    bodies = [(await client.request(Step("", "/"))).body for _ in range(4)]
    assert len(set(bodies)) == 1
    await close_threads()


def once(request):
    found = (getattr(kept, "seen", None), varied.get())
    kept.seen = request.GET["user"]
    varied.set(request.GET["user"])
    return HttpResponse(str(found))


async def test_a_thread_keeps_nothing_for_the_next_request(serve):
    """A project's thread-locals belong to one request, as context variables do."""
    kept.__dict__.clear()
    client = Client(serve({"": once}).application)
    found = [(await client.request(Step("", f"/?user={user}"))).body for user in "ab"]
    assert found == [b"(None, 'nothing')", b"(None, 'nothing')"]


@async_only_middleware
def asynchronous(get_response):
    async def middleware(request):
        response = await get_response(request)
        response["On-Loop"] = str(threading.current_thread() is threading.main_thread())
        return response

    return middleware


async def test_middleware_that_is_asynchronous_only_runs_on_the_loop_the_rest_in_one_thread(
    serve, listening
):
    ours, stock = await answers(
        serve, "/?user=ada", views={"": noting_view}, middleware=paths("asynchronous", "Noting")
    )
    assert ours[1] == stock[1]
    assert ours[0].body == stock[0].body
    assert dict(ours[0].headers)["On-Loop"] == "True"


def hopping(request):
    async def inside():
        return await sync_to_async(threading.get_ident)()

    async def parts():
        yield f"{await inside()} "
        yield str(async_to_sync_result)

    async_to_sync_result = async_to_sync(inside)()
    note("view", async_to_sync_result == threading.get_ident())
    return StreamingHttpResponse(parts())


async def test_hops_of_asynchronous_parts_come_to_the_thread_of_the_view(serve):
    client = Client(serve({"": hopping}).application)
    answer, events = await ask(client)
    assert events == [("view", True)]
    assert len(set(answer.body.split())) == 1


def running_a_loop(request):
    async def inside():
        return await sync_to_async(threading.get_ident)()

    return HttpResponse(str(asyncio.run(inside()) == threading.get_ident()))


async def test_a_view_may_run_a_loop_of_its_own_whose_code_hops(serve):
    for answer, _ in await answers(serve, views={"": running_a_loop}):
        assert answer.body == b"False"


async def coroutine_view(request):
    return HttpResponse(f"coroutine {in_bridge()}")


def synchronous_view(request):
    return HttpResponse(f"synchronous {threading.current_thread() is threading.main_thread()}")


class Elsewhere(MiddlewareMixin):
    """Choose other URLs, or another path, when the chain has been chosen."""

    def process_request(self, request):
        request.thread = threading.get_ident()
        if "urlconf" in request.GET:
            request.urlconf = (
                django.urls.path("coroutine/", synchronous_view),
                django.urls.path("synchronous/", coroutine_view),
            )
        else:
            request.path_info = request.GET.get("path", request.path_info)

    def process_response(self, request, response):
        response["On-Loop"] = str(request.thread == threading.main_thread().ident)
        return response


BOTH = {"coroutine/": coroutine_view, "synchronous/": synchronous_view}


@pytest.mark.parametrize(
    ("path", "body", "on_loop"),
    [
        ("/coroutine/", b"coroutine True", "True"),
        ("/synchronous/", b"synchronous False", "False"),
        ("/coroutine/?urlconf", b"synchronous False", "True"),
        ("/synchronous/?urlconf", b"coroutine False", "False"),
        ("/coroutine/?path=/synchronous/", b"synchronous False", "True"),
        ("/synchronous/?path=/coroutine/", b"coroutine False", "False"),
    ],
)
async def test_the_view_that_the_url_first_leads_to_decides_and_another_one_is_adapted(
    serve, path, body, on_loop
):
    client = Client(serve(BOTH, middleware=paths("Elsewhere")).application)
    answer, _ = await ask(client, path)
    assert (answer.body, dict(answer.headers)["On-Loop"]) == (body, on_loop)
