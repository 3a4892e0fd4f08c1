"""TURBO_ORM["THREAD_MIDDLEWARE"]: the middleware named there blocks a thread and not the loop."""

import asyncio
import threading

import pytest
from django.db import connection, transaction
from django.http import HttpResponse

from tests.asgi_client import PATIENCE
from tests.middleware import CALLS, record
from tests.testapp.models import Author
from turbo_orm import run_sync

pytestmark = pytest.mark.needs_thread("the middleware is kept in one by name")


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


def paths(*names):
    return [f"tests.middleware.{name}" for name in names]


def begin(serve, view, stack, threaded, **options):
    settings = {"THREAD_MIDDLEWARE": paths(*threaded)}
    return serve({"": view}, middleware=paths(*stack), TURBO_ORM=settings, **options)


async def view(request):
    record("view", "called")
    return HttpResponse(str(Author.objects.count()))


async def failing(request):
    record("view", "called")
    raise LookupError("in the view")


def places():
    """Return where each middleware and the view ran, if it was one place for each."""
    assert len({(call.name, call.place) for call in CALLS}) == len({call.name for call in CALLS})
    return {call.name: call.place for call in CALLS}


OTHERS = ("both_function", "Mixin", "AsyncClass", "SyncHooks", "AsyncHooks", "BothClass")


@pytest.mark.parametrize("position", range(len(OTHERS) + 1))
@pytest.mark.parametrize("named", [("SyncClass",), ("sync_function",), ("SyncClass", "Catches")])
async def test_only_what_is_named_runs_in_a_thread(serve, position, named):
    stack = [*OTHERS[:position], *named, *OTHERS[position:]]
    response = await begin(serve, view, stack, named).get("/")
    expected = dict.fromkeys(OTHERS, "bridge") | dict.fromkeys(named, "thread")
    assert (response.status, response.text) == (200, "0")
    assert response["Passed"].split() == stack[::-1]
    assert places() == expected | {"view": "bridge"}


async def test_the_same_middleware_runs_in_the_bridge_if_it_is_not_named(serve):
    await begin(serve, view, ["SyncClass", "sync_function"], ["sync_function"]).get("/")
    assert places() == {"SyncClass": "bridge", "sync_function": "thread", "view": "bridge"}


@pytest.mark.parametrize(
    ("names", "passed"),
    [
        (("NotUsed", "SyncClass"), "SyncClass"),
        (("SyncClass", "NotUsed"), "SyncClass"),
        (("both_function", "NotUsed", "AsyncClass"), "AsyncClass both_function"),
        (("SyncClass", "NotUsed", "Catches"), "Catches SyncClass"),
    ],
)
async def test_a_named_middleware_that_is_not_used_leaves_no_thread_behind(serve, names, passed):
    response = await begin(serve, view, names, ["NotUsed"]).get("/")
    assert response["Passed"] == passed
    assert {call.place for call in CALLS if call.event != "loaded"} == {"bridge"}


@pytest.mark.parametrize("named", [(), ("NotUsed",)])
async def test_one_that_is_not_used_leaves_its_named_neighbours_in_the_thread(serve, named):
    names = ("SyncClass", "NotUsed", "Catches", "AsyncNotUsed")
    client = begin(serve, view, names, ["SyncClass", "Catches", *named])
    CALLS.clear()
    response = await client.get("/")
    assert response["Passed"] == "Catches SyncClass"
    assert places() == {"SyncClass": "thread", "Catches": "thread", "view": "bridge"}


async def test_the_hooks_of_a_named_middleware_run_in_the_thread_too(serve):
    await begin(serve, failing, ["Mixin", "SyncHooks", "AsyncHooks"], ["SyncHooks"]).get("/")
    assert [call[1:] for call in CALLS if call.name == "SyncHooks"] == [
        ("request", "thread"),
        ("view failing", "thread"),
        ("exception in the view", "thread"),
        ("response", "thread"),
    ]
    expected = dict.fromkeys(("Mixin", "AsyncHooks", "view"), "bridge")
    assert places() == expected | {"SyncHooks": "thread"}


async def test_an_exception_passes_through_a_named_middleware(serve, caplog):
    stack = ("AnswersException", "SyncClass", "Mixin")
    saved = await begin(serve, failing, stack, ["SyncClass"]).get("/")
    assert (saved.status, saved.text) == (203, "saved")
    response = await begin(serve, failing, ["SyncClass", "Mixin"], ["SyncClass"]).get("/")
    assert (response.status, response["Passed"]) == (500, "Mixin SyncClass")
    assert [repr(record.exc_info[1]) for record in caplog.records] == ["LookupError('in the view')"]


async def test_an_exception_of_a_named_middleware_becomes_a_response_outside_of_it(serve, caplog):
    stack = ("Mixin", "FailsOnRequest", "AsyncClass")
    response = await begin(serve, view, stack, ["FailsOnRequest"]).get("/")
    (logged,) = caplog.records
    assert (response.status, response["Passed"]) == (500, "Mixin")
    assert repr(logged.exc_info[1]) == "LookupError('in a middleware')"
    assert places() == {"Mixin": "bridge", "FailsOnRequest": "thread"}


async def test_queries_inside_a_named_middleware_use_the_connection_of_its_thread(
    serve, monkeypatch
):
    from tests import middleware

    seen = []
    original = middleware.SyncClass.__call__

    def asks(self, request):
        with transaction.atomic():
            seen.append(backend())
            return original(self, request)

    async def pids(request):
        seen.append(await run_sync(backend))
        seen.append(connection.in_atomic_block)
        return HttpResponse(str(backend()))

    monkeypatch.setattr(middleware.SyncClass, "__call__", asks)
    client = begin(serve, pids, ["SyncClass", "AsyncClass"], ["SyncClass"])
    response = await client.get("/")

    assert seen == [seen[0], seen[0], True]
    assert response.text == str(seen[0])


def backend():
    """Return the process that serves this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


async def test_the_loop_serves_others_while_a_named_middleware_blocks(serve, monkeypatch):
    from tests import middleware

    blocked, go_on = threading.Event(), threading.Event()
    original = middleware.SyncClass.__call__

    def blocks(self, request):
        if "block" in request.GET:
            blocked.set()
            assert go_on.wait(PATIENCE)
        return original(self, request)

    monkeypatch.setattr(middleware.SyncClass, "__call__", blocks)
    client = begin(serve, view, ["SyncClass"], ["SyncClass"])
    exchange = client.begin("/?block")
    while not blocked.is_set():
        await asyncio.sleep(0.005)
    assert (await client.get("/")).status == 200
    assert not exchange.task.done()
    go_on.set()
    assert (await exchange.response()).status == 200
