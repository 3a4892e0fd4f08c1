"""Middleware of every kind does under turbo_orm.asgi what it does under Django's own handler."""

from typing import ClassVar

import asgiref.sync
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils.deprecation import MiddlewareMixin

from tests import middleware
from tests.asgi_client import Client
from tests.middleware import CALLS
from tests.testapp.models import Author
from turbo_orm import bridge

pytestmark = pytest.mark.rolled_back

KINDS = (
    *("sync_function", "async_function", "both_function", "SyncClass", "AsyncClass", "BothClass"),
    *("Mixin", "MixinWithItsOwnCall", "SyncHooks", "AsyncHooks", "AnswersRequest", "AnswersView"),
    *("AnswersException", "AnswersExceptionLater", "Catches", "FailsOnRequest", "FailsOnResponse"),
    *("NotUsed", "AsyncNotUsed", "BothNotUsed"),
)
HOOKS = "tests.middleware.SyncHooks"


async def plain(request):
    return HttpResponse("plain")


async def failing(request):
    raise LookupError("in the view")


async def missing(request):
    raise Http404("not here")


async def template(request):
    return TemplateResponse(request, "page", {})


VIEWS = {"plain": plain, "failing": failing, "missing": missing, "template": template}


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


@pytest.fixture
def hops(monkeypatch):
    """A list of what was handed to threads."""
    handed = []
    original = asgiref.sync.SyncToAsync.__call__

    def counted(self, *args, **kwargs):
        handed.append(self.func)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(asgiref.sync.SyncToAsync, "__call__", counted)
    return handed


async def outcome(client):
    """Return what clients and middleware see of a request for each view."""
    seen = {}
    for view in VIEWS:
        CALLS.clear()
        response = await client.get(f"/{view}")
        calls = [call[:2] for call in CALLS]
        seen[view] = (response.status, response.headers, response.body, calls)
    return seen


def paths(*names):
    return [f"tests.middleware.{name}" for name in names]


@pytest.mark.needs_thread("Django's own handler has one, for comparison")
@pytest.mark.parametrize("outer", KINDS)
async def test_each_kind_around_each_other_does_what_it_does_under_djangos_handler(
    serve, templates, hops, outer
):
    templates["page"] = "{{ seen }}"
    for inner in KINDS:
        client = serve(VIEWS, middleware=paths(outer, inner))
        stock = await outcome(Client(ASGIHandler()))
        hops.clear()
        assert (inner, await outcome(client)) == (inner, stock)
        assert hops == []


@pytest.mark.needs_thread("Django's own handler has one, for comparison")
@pytest.mark.parametrize("first", range(8))
async def test_all_of_them_do_what_they_do_under_djangos_handler(serve, templates, hops, first):
    templates["page"] = "{{ seen }}"
    passing = [name for name in KINDS if not name.startswith(("Answers", "Fails"))]
    stack = [*passing[first:], *passing[:first]]
    client = serve(VIEWS, middleware=paths(*stack))
    stock = await outcome(Client(ASGIHandler()))
    hops.clear()
    ours = await outcome(client)
    assert ours == stock
    assert len(ours["plain"][3]) > 2 * 9
    assert hops == []


@pytest.mark.parametrize("kind", [name for name in KINDS if not name.endswith("NotUsed")])
async def test_every_kind_runs_in_the_bridge(serve, templates, kind):
    templates["page"] = ""
    await outcome(serve(VIEWS, middleware=paths(kind)))
    assert {call.place for call in CALLS} == {"bridge"}


@pytest.mark.parametrize("kind", ["both_function", "BothClass", "MixinWithItsOwnCall"])
async def test_what_has_coroutines_of_its_own_runs_them(serve, monkeypatch, kind):
    modes = []
    original = getattr(middleware, kind)
    adapted = middleware.iscoroutinefunction

    def note(function):
        modes.append(adapted(function))
        return adapted(function)

    monkeypatch.setattr(middleware, "iscoroutinefunction", note)
    await serve(VIEWS, middleware=paths(kind, "SyncClass")).get("/plain")
    assert original.async_capable
    # The chain of synchronous views has one of its own, in its other mode.
    assert True in modes


async def test_the_mixin_with_only_hooks_runs_synchronously(serve, monkeypatch):
    async def refuse(self, request):
        raise AssertionError("it was called in asynchronous mode")

    monkeypatch.setattr(MiddlewareMixin, "__acall__", refuse)
    response = await serve(VIEWS, middleware=paths("Mixin", "AsyncClass", "Mixin")).get("/plain")
    assert response["Passed"] == "Mixin AsyncClass Mixin"


@pytest.mark.commits
async def test_middleware_and_its_hooks_may_query(serve, stack, monkeypatch):
    await Author.objects.acreate(name="Ada")

    def process_view(self, request, view, args, kwargs):
        return HttpResponse(Author.objects.get().name)

    monkeypatch.setattr(middleware.AnswersView, "process_view", process_view)
    client = serve(VIEWS, middleware=paths("both_function", "AnswersView"))
    assert (await client.get("/plain")).text == "Ada"


ENTRIES = ["_drive_outermost"]


async def queries(request):
    author = await Author.objects.acreate(name="Ada")
    return HttpResponse(Author.objects.get(pk=author.pk).name)


@pytest.mark.commits
@pytest.mark.parametrize(
    "names",
    [(), ("Mixin",) * 5, ("both_function", "SyncClass", "AsyncHooks", "SyncHooks", "BothClass")],
)
async def test_a_request_enters_the_bridge_once(serve, full_pool, monkeypatch, names):
    def receiver(**kwargs):
        assert Author.objects.count() <= 1

    client = serve({"": queries}, middleware=paths(*names))
    entries = []
    original = bridge.Job

    def counted(function, *args):
        entries.append(function.__name__)
        return original(function, *args)

    monkeypatch.setattr(bridge, "Job", counted)
    for signal in (request_started, request_finished):
        signal.connect(receiver)
    try:
        response = await client.get("/")
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(receiver)
    assert (response.text, entries) == ("Ada", ENTRIES)


class Counted(MiddlewareMixin):
    """Counts its instances."""

    made: ClassVar[list[str]] = []

    def __init__(self, get_response):
        super().__init__(get_response)
        self.made.append("instance")


@pytest.mark.parametrize(("sync_views", "instances"), [("thread", 2), ("loop", 1)])
def test_middleware_is_instantiated_once_for_each_way_to_run_a_request(
    serve, sync_views, instances
):
    Counted.made.clear()
    serve(VIEWS, middleware=[f"{__name__}.Counted"], TURBO_ORM={"SYNC_VIEWS": sync_views})
    assert len(Counted.made) == instances
    ASGIHandler()
    assert len(Counted.made) == instances + 1
