"""The middleware of docs/sessions.md: each request has its tenant, whatever its view is."""

import asyncio

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.decorators import sync_and_async_middleware

from tests.testapp.models import Author
from turbo_orm import atomic, run_sync, session_settings

pytestmark = pytest.mark.needs_thread("synchronous views")

TENANT = "SELECT coalesce(current_setting('turbo.tenant', true), '')"


@sync_and_async_middleware
def tenant_middleware(get_response):
    def settings_of(request):
        return session_settings(**{"turbo.tenant": request.headers["X-Tenant"]})

    def finished(settings, response):
        if response.streaming:
            response.streaming_content = settings.iterate(response.streaming_content)
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request):
            with settings_of(request) as settings:
                return finished(settings, await get_response(request))

    else:

        def middleware(request):
            with settings_of(request) as settings:
                return finished(settings, get_response(request))

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


async def test_every_kind_of_view_has_the_tenant_of_its_request(serve):
    client = serve(
        {name: view for name, (view, _) in VIEWS.items()},
        middleware=[f"{__name__}.tenant_middleware"],
    )

    async def request(number):
        name, (_, count) = [*VIEWS.items()][number % len(VIEWS)]
        own = str(number % 8)
        response = await client.request(f"/{name}", headers={"x-tenant": own})
        return response.text.split(), [own] * count

    answers = [pair for _ in range(4) for pair in await asyncio.gather(*map(request, range(24)))]
    assert [answer for answer in answers if answer[0] != answer[1]] == []
    assert await run_sync(tenant) == ""
