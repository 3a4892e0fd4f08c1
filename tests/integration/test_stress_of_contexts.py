"""Many requests at once, served in every way, each with a user, a tenant and settings of its own.

The user is in a thread-local, the tenant on the wrapper, as django-tenants keeps it, a setting is
made with ``session_settings``, and another one by raw SQL, on the few connections of one pool.
"""

import asyncio
import json
import random
import time

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.db import connections, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from strawberry.django.views import AsyncGraphQLView

import strawberry
from tests.invariant import assert_at_rest
from tests.testapp.models import Author
from tests.thorough import cases
from tests.who import LOCAL, name
from turbo_orm import atomic, portal, run_sync, session_settings
from turbo_orm.asgi import on_loop

ROUNDS = cases(3, 200)
AT_ONCE = 30
# One in so many requests has neither tenant nor settings.
NOBODY = 7

# The engine's cursors make the tenant the application_name of the session.
SEEN = (
    "concat_ws('|', current_setting('application_name'),"
    " coalesce(current_setting('turbo.tenant', true), ''),"
    " coalesce(current_setting('turbo.raw', true), ''))"
)
CHANGES = ("SET turbo.raw = '{}'", "SELECT set_config('turbo.raw', '{}', false)")

pytestmark = pytest.mark.needs_thread("synchronous views have theirs")


@sync_and_async_middleware
def tenant_middleware(get_response):
    """Enter the tenant that a header names, and give its settings to the session."""

    def enter(request):
        tenant = request.headers.get("X-Tenant")
        if tenant is None:
            return session_settings()
        connections[request.headers["X-Alias"]].enter(tenant)
        return session_settings(**{"turbo.tenant": tenant})

    def finished(settings, response):
        if response.streaming:
            response.streaming_content = settings.iterate(response.streaming_content)
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request):
            async with enter(request) as settings:
                return finished(settings, await get_response(request))

    else:

        def middleware(request):
            with enter(request) as settings:
                return finished(settings, get_response(request))

    return middleware


MIDDLEWARE = ["tests.who.WhoAsks", f"{__name__}.tenant_middleware"]


async def nap():
    await asyncio.sleep(random.random() / 200)


def doze():
    time.sleep(random.random() / 500)


def look(alias, expected, user=None):
    """Return what holds here: the user, the tenant, the setting and what raw SQL has set.

    Args:
        alias: the database.
        expected: whether raw SQL of this request holds here: ``"unset"`` or ``"set"``.
        user: where the request has put its user; by default what the middleware has set.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT {SEEN}")
        (found,) = cursor.fetchone()
    return f"{expected}|{user or name()}|{found}"


def change(alias, own):
    """Change the session by raw SQL, and look at it in the same operation."""
    with connections[alias].cursor() as cursor:
        cursor.execute(random.choice(CHANGES).format(own))
    return look(alias, "set")


async def ask(alias, expected="unset"):
    await nap()
    return await run_sync(look, alias, expected)


def named(request):
    return request.headers["X-Alias"], request.headers["X-Name"]


def answer(*seen):
    return HttpResponse(" ".join(seen))


async def coroutine(request):
    alias, own = named(request)
    seen = [await ask(alias), await run_sync(change, alias, own)]
    await nap()
    seen.append(await portal(ask(alias)))
    return answer(*seen, *[f"unset|{name()}|{row.name}" async for row in rows(alias)])


def rows(alias):
    sql = f"SELECT id, {SEEN} AS name FROM generate_series(1, 3) AS id"
    return Author.objects.using(alias).raw(sql)


async def gathered(request):
    alias, own = named(request)

    async def child():
        await nap()
        return [await run_sync(change, alias, own), await ask(alias)]

    async def block():
        async with atomic(alias):
            return [await ask(alias)]

    found = await asyncio.gather(child(), ask(alias), block(), child())
    return answer(*found[0], found[1], *found[2], *found[3])


class Undone(Exception):
    pass


async def in_block(request):
    alias, own = named(request)
    seen = []
    try:
        async with atomic(alias):
            seen.append(await run_sync(change, alias, own))
            seen += await asyncio.gather(ask(alias, "set"), sync_to_async(look)(alias, "set"))
            seen.append(await sync_to_async(async_to_sync(ask))(alias, "set"))
            if random.random() < 0.5:
                raise Undone
    except Undone:
        pass
    return answer(*seen, await ask(alias))


def synchronous(request):
    alias, own = named(request)
    doze()
    seen = [look(alias, "unset"), async_to_sync(ask)(alias)]
    with transaction.atomic(using=alias):
        doze()
        seen.append(async_to_sync(ask)(alias))
    # What a thread sets stays until its connection is closed, as in plain Django.
    return answer(*seen, change(alias, own), async_to_sync(ask)(alias, "set"), look(alias, "set"))


@on_loop
def synchronous_on_loop(request):
    alias, own = named(request)
    seen = [look(alias, "unset"), async_to_sync(ask)(alias)]
    with transaction.atomic(using=alias):
        return answer(*seen, change(alias, own), look(alias, "set"))


async def streaming(request):
    alias, own = named(request)
    LOCAL.stream = name()

    async def pieces():
        yield await run_sync(look, alias, "unset", LOCAL.stream)
        async for row in rows(alias):
            await nap()
            yield f" unset|{LOCAL.stream}|{row.name}"
        async with atomic(alias):
            await nap()
            yield " " + await run_sync(look, alias, "unset", LOCAL.stream)

    await run_sync(change, alias, own)
    # Until it waits, a view on the event loop keeps its connection.
    await nap()
    return StreamingHttpResponse(pieces())


def streaming_in_the_thread(request):
    alias, own = named(request)
    LOCAL.stream = name()

    def pieces():
        for _ in range(3):
            doze()
            yield look(alias, "set", LOCAL.stream) + " "

    change(alias, own)
    return StreamingHttpResponse(pieces())


@strawberry.type
class Query:
    @strawberry.field
    def plain(self, info: strawberry.Info) -> str:
        return look(info.context.request.headers["X-Alias"], "unset")

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> str:
        return await ask(info.context.request.headers["X-Alias"])

    @strawberry.field
    async def changed(self, info: strawberry.Info) -> str:
        await nap()
        return await run_sync(change, *named(info.context.request))


VIEWS = {
    "coroutine": coroutine,
    "synchronous": synchronous,
    "streaming": streaming,
    "gathered": gathered,
    "in_block": in_block,
    "synchronous_on_loop": synchronous_on_loop,
    "streaming_in_the_thread": streaming_in_the_thread,
}
KINDS = [*VIEWS, "graphql"]
QUERY = json.dumps({"query": "{ plain changed slow again: slow }"}).encode()


def urls():
    graphql = AsyncGraphQLView.as_view(schema=strawberry.Schema(Query))
    return [*(path(each, view) for each, view in VIEWS.items()), path("graphql", graphql)]


async def visit(client, alias, kind, own, tenant):
    """Make a request; return what it has seen, each thing once."""
    headers = {"x-name": own, "x-alias": alias}
    if tenant != "nobody":
        headers["x-tenant"] = tenant
    if kind != "graphql":
        return set((await client.get(f"/{kind}", headers)).text.split())
    headers["content-type"] = "application/json"
    response = await client.request("/graphql", "POST", [QUERY], headers)
    return set(json.loads(response.text)["data"].values())


def expected(kind, own, tenant):
    """Return what a request may see: its own, and nothing of anybody else."""
    setting = "" if tenant == "nobody" else tenant
    unset = f"unset|{own}|{tenant}|{setting}|"
    changed = f"set|{own}|{tenant}|{setting}|{own}"
    if kind == "streaming":
        return {unset}
    return {changed} if kind == "streaming_in_the_thread" else {unset, changed}


@pytest.mark.timeout(cases(60, 900))
async def test_no_request_sees_a_value_of_another_one(serve, make_alias):
    pool = {"min_size": 1, "max_size": 4, "timeout": 60}
    alias = make_alias(ENGINE="tests.engines.keeping", pool=pool)
    client = serve(urls(), middleware=MIDDLEWARE)

    for round_ in range(ROUNDS):
        visits = []
        for number in range(AT_ONCE):
            own = f"{round_}-{number}"
            tenant = "nobody" if number % NOBODY == 0 else f"tenant{number % 5}"
            visits.append((KINDS[(number + round_) % len(KINDS)], own, tenant))
        seen = await asyncio.gather(*(visit(client, alias, *each) for each in visits))
        wrong = [
            (each, found)
            for each, found in zip(visits, seen, strict=True)
            if found != expected(*each)
        ]
        assert wrong == []

    assert vars(LOCAL) == {}
    await assert_at_rest(alias)
    assert await run_sync(look, alias, "unset", "nobody") == "unset|nobody|nobody||"
