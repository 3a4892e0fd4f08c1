"""The middleware of docs/sessions.md: each request has its tenant, whatever serves it."""

import asyncio

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.decorators import sync_and_async_middleware

from tests.asgi_client import Client
from tests.serving.client import Step
from tests.serving.wsgi import WSGIClient
from tests.testapp.models import Author
from turbo_orm import atomic, run_sync, session_settings

pytestmark = pytest.mark.needs_thread("synchronous views")

TENANT = "SELECT coalesce(current_setting('turbo.tenant', true), '')"


def settings_of(request):
    return session_settings(**{"turbo.tenant": request.headers["X-Tenant"]})


def finished(settings, response):
    if response.streaming:
        response.streaming_content = settings.iterate(response.streaming_content)
    return response


def tenant_middleware(get_response):
    """Be synchronous, as the one on the page: that is enough for views of both kinds."""

    def middleware(request):
        with settings_of(request) as settings:
            response = get_response(request)
        return finished(settings, response)

    return middleware


@sync_and_async_middleware
def middleware_of_both_kinds(get_response):
    if not iscoroutinefunction(get_response):
        return tenant_middleware(get_response)

    async def middleware(request):
        async with settings_of(request) as settings:
            response = await get_response(request)
        return finished(settings, response)

    return middleware


def tenant():
    with connection.cursor() as cursor:
        cursor.execute(TENANT)
        return cursor.fetchone()[0]


async def coroutine_view(request):
    await asyncio.sleep(0)
    found = await asyncio.gather(*(run_sync(tenant) for _ in range(3)))
    async with atomic():
        found.append(await run_sync(tenant))
    return HttpResponse(" ".join(found))


def synchronous_view(request):
    return HttpResponse(tenant())


async def hopping_view(request):
    return HttpResponse(await sync_to_async(tenant)())


async def streaming_view(request):
    async def pieces():
        for _ in range(2):
            yield await run_sync(tenant)
            yield " "
        async for name in Author.objects.raw(f"SELECT 1 AS id, ({TENANT}) AS name"):
            yield name.name

    return StreamingHttpResponse(pieces())


def synchronous_streaming_view(request):
    return StreamingHttpResponse(f"{tenant()} " for _ in range(2))


VIEWS = {
    "coroutine": (coroutine_view, 4),
    "synchronous": (synchronous_view, 1),
    "hopping": (hopping_view, 1),
    "streaming": (streaming_view, 3),
    "synchronous_streaming": (synchronous_streaming_view, 2),
}


MIDDLEWARE = [
    f"{__name__}.{each.__name__}" for each in (tenant_middleware, middleware_of_both_kinds)
]


async def ask(client, number, kinds):
    """Return what a request has seen, and what it has to see."""
    name = kinds[number % len(kinds)]
    own = str(number % 8)
    headers = (("x-tenant", own),)
    if isinstance(client, WSGIClient):
        seen = (await client.request(Step("", f"/{name}", headers=headers))).body.decode()
    else:
        seen = (await client.request(f"/{name}", headers=headers)).text
    return seen.split(), [own] * VIEWS[name][1]


@pytest.mark.parametrize("middleware", MIDDLEWARE)
@pytest.mark.parametrize("handler", ["turbo_orm.asgi", "Django's ASGI handler", "WSGI"])
async def test_every_kind_of_view_has_the_tenant_of_its_request(serve, middleware, handler):
    client = serve({name: view for name, (view, _) in VIEWS.items()}, middleware=[middleware])
    kinds = [*VIEWS]
    if handler != "turbo_orm.asgi":
        # Django reads the iterator of the other kind to its end first, and warns of that.
        kinds.remove("streaming" if handler == "WSGI" else "synchronous_streaming")
        client = WSGIClient(WSGIHandler()) if handler == "WSGI" else Client(ASGIHandler())

    answers = [
        pair
        for _ in range(4)
        for pair in await asyncio.gather(*(ask(client, number, kinds) for number in range(24)))
    ]

    assert [answer for answer in answers if answer[0] != answer[1]] == []
    assert await run_sync(tenant) == ""
