"""TURBO_ORM["THREAD_MIDDLEWARE"]: the middleware named there blocks a thread and not the loop."""

import asyncio
import threading

import pytest
from django.db import connections
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


async def test_queries_inside_a_named_middleware_go_over_the_pool(serve):
    pool_backends = []

    async def pids(request):
        pool_backends.append(await run_sync(backend))
        return HttpResponse(str(backend()))

    client = begin(serve, pids, ["SyncClass", "AsyncClass"], ["SyncClass"])
    used = {int((await client.get("/")).text) for _ in range(3)} | set(pool_backends)
    assert used <= await pids_of_the_pool()


def backend():
    """Return the process that serves this connection, and its name for the application."""
    connection = connections["default"]
    assert type(connection).__module__.startswith("turbo_orm.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


async def pids_of_the_pool():
    from turbo_orm.pool import get_pool

    pool = get_pool("default")
    lent = await asyncio.gather(*(pool.lend() for _ in range(pool.stats().max_size)))
    try:
        return {connection.info.backend_pid for connection in lent}
    finally:
        for connection in lent:
            pool.take_back(connection)


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
