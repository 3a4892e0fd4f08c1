"""Operations that send rows while they are read."""

import asyncio
import gc
import json
import tracemalloc

import django
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from ninja.responses import Status
from ninja.testing import TestAsyncClient

from ninja import JSONL, SSE, Schema
from tests.asgi_client import Client
from tests.ninja import schemas
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author
from tests.waiting import until
from turbo_orm import pool_stats
from turbo_orm.asgi import TurboASGIHandler
from turbo_orm_ninja import TurboNinjaAPI, optimize


def api_of(response, operation, *decorators):
    api = TurboNinjaAPI(urls_namespace="streams")
    for decorator in decorators:
        operation = decorator(operation)
    api.get("/it", response=response)(operation)
    return api


async def ask(*args):
    response = await TestAsyncClient(api_of(*args)).get("/it")
    return response["Content-Type"], response.content.decode()


async def returns_queryset(request):
    return Article.objects.order_by("pk")


async def returns_iterator(request):
    return Article.objects.order_by("pk").aiterator()


async def generates(request):
    async for article in Article.objects.order_by("pk").aiterator():
        yield article


async def returns_list(request):
    return await Article.objects.order_by("pk").alist()


async def returns_manager(request):
    return Article.objects


WAYS = [returns_queryset, returns_iterator, generates, returns_list, returns_manager]


def way_name(way):
    return way.__name__


@pytest.mark.parametrize("way", WAYS, ids=way_name)
async def test_json_lines_are_sent_by_an_operation_that(way):
    await fill(0, 2)

    media, text = await ask(JSONL[schemas.ArticleOut], way)

    assert media == "application/jsonl"
    tags = [{"name": f"tag{n}"} for n in range(3)]
    assert [json.loads(line) for line in text.splitlines()] == [
        {"id": 1, "title": "title0", "author": {"id": 1, "name": "author0"}, "tags": tags},
        {"id": 2, "title": "title1", "author": {"id": 2, "name": "author1"}, "tags": tags},
    ]


@pytest.mark.parametrize("way", WAYS, ids=way_name)
async def test_events_are_sent_by_an_operation_that(way):
    await fill(0, 2)

    assert await ask(SSE[schemas.Title], way) == (
        "text/event-stream",
        'data: {"title": "title0"}\n\ndata: {"title": "title1"}\n\n',
    )


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_an_array_of_an_iterator_is_that_of_a_list(count):
    author = await Author.objects.acreate(name="ada")
    await Article.objects.abulk_create(
        [Article(title=f"title{n}", author=author) for n in range(count)]
    )

    streamed = await ask(list[schemas.ArticleOut], returns_iterator)

    assert streamed == await ask(list[schemas.ArticleOut], returns_list)


async def test_an_array_has_the_status_and_headers_of_its_operation():
    async def operation(request, response: HttpResponse):
        response["X-Rows"] = "many"
        response.set_cookie("seen", "yes")
        return Status(202, Article.objects.aiterator())

    api = TurboNinjaAPI()
    api.get("/it", response={202: list[schemas.Title]})(operation)
    response = await TestAsyncClient(api).get("/it")

    assert (response.status_code, response["X-Rows"], response.content) == (202, "many", b"[]")
    assert response.cookies["seen"].value == "yes"


async def test_the_rows_of_a_stream_are_optimised_by_its_schema():
    await fill(0, 4)

    with counted() as optimised:
        await ask(JSONL[schemas.ArticleOut], returns_queryset)
    with counted() as not_optimised:
        await ask(JSONL[schemas.ArticleOut], returns_queryset, optimize(False))
    with counted() as array:
        await ask(list[schemas.ArticleOut], returns_iterator)

    assert '"metadata"' not in optimised[0]
    # A cursor's statement is not among them: what is counted is prefetched, or asked row by row.
    assert (len(optimised), len(not_optimised), len(array)) == (2, 9, 3)


def served(api):
    """Have the project serve an API."""

    class Urls:
        urlpatterns = [path("api/", api.urls)]

    return override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["testserver"])


async def wide(count):
    author = await Author.objects.acreate(name="ada")
    await Article.objects.abulk_create(
        [
            Article(title=f"title{n}", author=author, metadata={"text": "x" * 2000})
            for n in range(count)
        ]
    )


class Wide(Schema):
    title: str
    metadata: dict


FORMATS = pytest.mark.parametrize("response", [JSONL[Wide], list[Wide]], ids=["lines", "array"])


@FORMATS
async def test_memory_does_not_grow_with_the_rows(response):
    async def operation(request):
        return Article.objects.aiterator(chunk_size=100)

    api = api_of(response, operation)

    async def peak():
        handler, size = TurboASGIHandler(), 0

        async def weigh(message):
            nonlocal size
            size += len(message.get("body", b""))

        async def application(scope, receive, send):
            await handler(scope, receive, weigh)

        tracemalloc.start()
        try:
            with served(api):
                await Client(application).begin("/api/it").task
            return size, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await wide(200)
    await peak()
    small, before = await peak()
    await wide(1800)
    large, after = await peak()

    assert large > 9 * small
    assert after < 2 * before


# Before 5.0 Django's own handler does not notice that a client has left.
HANDLERS = [TurboASGIHandler, *([ASGIHandler] if django.VERSION >= (5, 0) else [])]


@FORMATS
@pytest.mark.parametrize("handler", HANDLERS)
async def test_a_client_that_leaves_gives_the_connection_back(response, handler, at_rest):
    async def operation(request):
        return Article.objects.aiterator(chunk_size=10)

    async def to_a_slow_client(scope, receive, send):
        async def slow(message):
            await send(message)
            if message.get("body"):
                await asyncio.Event().wait()

        await handler()(scope, receive, slow)

    await wide(500)
    gc.disable()
    try:
        with served(api_of(response, operation)):
            exchange = Client(to_a_slow_client).begin("/api/it")
            await exchange.next_message()
            await exchange.next_message()
            assert pool_stats().idle < pool_stats().size
            await exchange.gone()
        await until(lambda: pool_stats().in_use == 0)
    finally:
        gc.enable()
