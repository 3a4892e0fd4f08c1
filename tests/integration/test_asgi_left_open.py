"""A transaction that a request leaves open: rolled back at its end, as where Django closes it."""

import asyncio

import pytest
from django.core.signals import request_finished
from django.db import connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, override_settings

from tests.asgi_client import urlconf
from tests.testapp.models import Author
from turbo_orm import atomic, run_sync


async def names():
    return [name async for name in Author.objects.order_by("name").values_list("name", flat=True)]


def in_transaction():
    """Tell whether the session is in a transaction that some earlier request has begun."""
    return connection.connection is not None and (
        connection.connection.info.transaction_status.name != "IDLE"
    )


def begin_by_raw_sql():
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")


def switch_off():
    transaction.set_autocommit(False)


def enter_by_hand():
    transaction.atomic().__enter__()


# Not an `atomic` that nobody leaves: Django's threads keep its connection for their next request.
BEGIN = pytest.mark.parametrize("begin", [begin_by_raw_sql, switch_off])


def in_view(begin):
    def view(request):
        begin()
        Author.objects.create(name="lost")
        return HttpResponse(b"answered")

    return view


def in_coroutine_view(begin):
    async def view(request):
        await run_sync(begin)
        await asyncio.sleep(0)
        await Author.objects.acreate(name="lost")
        return HttpResponse(b"answered")

    return view


def in_stream(begin):
    def pieces():
        begin()
        Author.objects.create(name="lost")
        yield b"answered"

    return lambda request: StreamingHttpResponse(pieces())


def around_view(begin):
    async def view(request):
        return HttpResponse(b"answered")

    view.begin = begin
    return view


class SyncMiddleware:
    """A synchronous middleware, which begins what the view has asked for."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        begin = getattr(request.resolver_match.func, "begin", None)
        if begin is not None:
            begin()
            Author.objects.create(name="lost")
        return response


PLACES = pytest.mark.parametrize("place", [in_view, in_coroutine_view, in_stream, around_view])
# In a thread each request runs as Django itself runs it.
THREAD = pytest.param("thread", marks=pytest.mark.needs_thread("it is the judge"))
SYNC_VIEWS = pytest.mark.parametrize("sync_views", [THREAD, "loop"])


@BEGIN
@PLACES
@SYNC_VIEWS
async def test_a_transaction_that_a_request_leaves_open_is_rolled_back_without_an_error(
    serve, place, sync_views, begin
):
    def later(request):
        return HttpResponse(str(in_transaction()))

    client = serve(
        {"": place(begin), "later": later},
        middleware=[f"{__name__}.SyncMiddleware"],
        TURBO_ORM={"SYNC_VIEWS": sync_views},
    )
    response = await client.get("/")

    assert (response.status, response.body) == (200, b"answered")
    assert (await client.get("/later")).text == "False"
    assert await names() == []


@SYNC_VIEWS
async def test_a_receiver_that_leaves_a_transaction_open_does_not_break_the_request(
    serve, sync_views
):
    def begin(**kwargs):
        begin_by_raw_sql()

    client = serve({"": lambda request: HttpResponse()}, TURBO_ORM={"SYNC_VIEWS": sync_views})
    request_finished.connect(begin)
    try:
        assert (await client.get("/")).status == 200
    finally:
        request_finished.disconnect(begin)


@pytest.mark.parametrize("begin", [begin_by_raw_sql, switch_off, enter_by_hand])
async def test_the_test_client_s_request_ends_without_an_error_too(begin):
    with override_settings(ROOT_URLCONF=urlconf({"": in_coroutine_view(begin)})):
        response = await AsyncClient().get("/")

    assert (response.status_code, response.content) == (200, b"answered")
    assert await names() == []


async def test_a_coroutine_view_that_never_leaves_its_block_answers(serve):
    async def view(request):
        await atomic().__aenter__()
        await Author.objects.acreate(name="lost")
        return HttpResponse(b"answered")

    response = await serve({"": view}).get("/")

    assert (response.status, response.body) == (200, b"answered")
    assert await names() == []
