"""A value in another module's thread-local belongs to one request, however that is served."""

import asyncio
import json
import random
import subprocess
import sys
import time

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.asgi import get_asgi_application
from django.db.models.signals import pre_save
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from strawberry.django.views import AsyncGraphQLView

import strawberry
from tests.asgi_client import Client
from tests.testapp.models import Author
from tests.thorough import cases
from tests.who import LOCAL, name
from turbo_orm import portal, run_sync
from turbo_orm.asgi import on_loop

WHO = ["tests.who.WhoAsks"]
ROUNDS = cases(3, 200)
AT_ONCE = 30

pytestmark = pytest.mark.needs_thread("synchronous views have theirs")


async def nap():
    await asyncio.sleep(random.random() / 200)


def doze():
    time.sleep(random.random() / 500)


async def coroutine(request):
    await nap()
    seen = [name()]
    await Author.objects.acount()
    seen.append(name())
    await sync_to_async(lambda: seen.append(name()))()
    return HttpResponse(" ".join(seen))


async def ask(seen):
    await nap()
    seen.append(name())
    await Author.objects.acount()
    seen.append(name())


def synchronous(request):
    doze()
    seen = [name()]
    async_to_sync(ask)(seen)
    Author.objects.count()
    return HttpResponse(" ".join([*seen, name()]))


@on_loop
def synchronous_on_loop(request):
    seen = [name()]
    Author.objects.count()
    async_to_sync(ask)(seen)
    return HttpResponse(" ".join([*seen, name()]))


async def gathered(request):
    async def child(own):
        seen = []
        await portal(ask(seen))
        LOCAL.own = own
        await nap()
        return [*seen, name()] if LOCAL.own == own else ["a sibling's"]

    seen = await asyncio.gather(child(1), child(2))
    return HttpResponse(" ".join([*seen[0], *seen[1], *([] if not hasattr(LOCAL, "own") else "x")]))


async def streaming(request):
    async def pieces():
        for _ in range(3):
            await nap()
            await Author.objects.acount()
            yield f"{LOCAL.stream} "

    LOCAL.stream = name()
    return StreamingHttpResponse(pieces())


def streaming_in_the_thread(request):
    def pieces():
        for _ in range(3):
            doze()
            Author.objects.count()
            yield f"{LOCAL.stream} "

    LOCAL.stream = name()
    return StreamingHttpResponse(pieces())


@strawberry.type
class Query:
    @strawberry.field
    def plain(self) -> str:
        Author.objects.count()
        return name()

    @strawberry.field
    async def slow(self) -> str:
        await nap()
        await Author.objects.acount()
        return name()


VIEWS = {
    "coroutine": coroutine,
    "synchronous": synchronous,
    "synchronous_on_loop": synchronous_on_loop,
    "gathered": gathered,
    "streaming": streaming,
    "streaming_in_the_thread": streaming_in_the_thread,
}


def urls():
    graphql = AsyncGraphQLView.as_view(schema=strawberry.Schema(Query))
    return [*(path(each, view) for each, view in VIEWS.items()), path("graphql", graphql)]


async def visit(client, kind, who):
    """Return the names that a request has seen."""
    if kind == "graphql":
        body = json.dumps({"query": "{ plain slow again: slow }"}).encode()
        headers = {"x-name": who, "content-type": "application/json"}
        response = await client.request("/graphql", "POST", [body], headers)
        return set(json.loads(response.text)["data"].values())
    response = await client.get(f"/{kind}", {"x-name": who})
    return set(response.text.split())


@pytest.mark.timeout(cases(60, 900))
async def test_no_request_sees_anothers_name(serve):
    client = serve(urls(), middleware=WHO)
    for round_ in range(ROUNDS):
        kinds = [[*VIEWS, "graphql"][number % (len(VIEWS) + 1)] for number in range(AT_ONCE)]
        seen = await asyncio.gather(
            *(visit(client, kind, f"{kind}-{round_}-{n}") for n, kind in enumerate(kinds))
        )
        assert seen == [{f"{kind}-{round_}-{n}"} for n, kind in enumerate(kinds)]
    assert vars(LOCAL) == {}


@pytest.mark.parametrize("kind", ["coroutine", "gathered"])
async def test_the_same_under_djangos_own_asgi_handler(serve, kind):
    serve(urls(), middleware=WHO)
    client = Client(get_asgi_application())

    seen = await asyncio.gather(*(visit(client, kind, f"visitor-{n}") for n in range(8)))

    assert seen == [{f"visitor-{n}"} for n in range(8)]


async def stamped(request):
    """Say whom a receiver of a signal has seen, on the event loop."""
    seen = []

    def note(sender, **kwargs):
        seen.append(name())

    pre_save.connect(note, sender=Author)
    try:
        await nap()
        await Author.objects.acreate(name="x")
    finally:
        pre_save.disconnect(note, sender=Author)
    return HttpResponse(seen[-1])


async def test_signals_see_what_middleware_in_a_thread_has_set_under_djangos_own_handler(serve):
    serve([path("stamped", stamped)], middleware=WHO)

    assert await visit(Client(get_asgi_application()), "stamped", "ada") == {"ada"}


async def test_what_a_request_leaves_behind_is_not_seen_by_the_next(serve):
    before = []

    async def later(request):
        before.append(LOCAL.before)
        return HttpResponse()

    client = serve([path("", later)], middleware=["tests.who.Remembers"])
    for visitor in ("ada", "grace"):
        await client.get("/", {"x-name": visitor})

    assert before == [None, None]


async def test_the_caller_of_the_application_stays_outside_of_its_requests(serve):
    LOCAL.name = "caller"
    try:
        client = serve({"": coroutine}, middleware=WHO)
        exchange = client.begin("/", headers={"x-name": "visitor"})
        scope = exchange.task.get_coro().cr_frame.f_locals["scope"]
        await exchange.response()
        messages = [{"type": "http.request"}]
        sent = []

        async def receive():
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message):
            sent.append(message.get("body", b""))

        # In this very task, as some test clients do.
        await client.application(scope, receive, send)
        assert (b"".join(sent), LOCAL.name) == (b"visitor visitor visitor", "caller")
        assert await run_sync(name) == "caller"
    finally:
        del LOCAL.name


SETTINGS = """
import tests.who
from turbo_orm.locals.faces import StandIn
print(type(tests.who.LOCAL) is StandIn)
"""


@pytest.mark.parametrize(
    ("written", "replaced"),
    [
        ("{}", True),
        ("{'REQUEST_LOCALS': 'auto'}", True),
        ("{'REQUEST_LOCALS': False}", False),
        ("{'REDIRECT_DJANGO': False}", False),
        ("{'REQUEST_LOCALS': ['tests.who.LOCAL']}", True),
        ("{'REQUEST_LOCALS': ['tests.who']}", True),
        ("{'REQUEST_LOCALS': ['tests.waiting']}", False),
    ],
)
def test_the_settings_say_which_are_replaced(written, replaced):
    source = (
        "from django.conf import settings\n"
        "settings.configure(INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', "
        f"'turbo_orm'], MIDDLEWARE=['tests.who.WhoAsks'], TURBO_ORM={written})\n"
        "import django; django.setup()\n" + SETTINGS
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (str(replaced), "")
