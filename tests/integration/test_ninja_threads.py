"""Schemas and callbacks that the adapter has changed, used where no operation's task runs."""

import asyncio
import contextlib
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections
from django.utils.asyncio import async_unsafe
from ninja.security import APIKeyHeader, HttpBearer
from ninja.testing import TestAsyncClient, TestClient
from ninja.throttling import BaseThrottle
from pydantic import ValidationError

from ninja import NinjaAPI, Schema
from tests.ninja import schemas
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author
from turbo_orm_ninja import TurboNinjaAPI
from turbo_orm_ninja.pagination import LimitOffsetPagination, paginate


class Title(Schema):
    title: str
    shout: str

    @staticmethod
    def resolve_shout(obj: Any) -> str:
        return obj.title.upper()


class Counted(Schema):
    title: str
    others: int

    @staticmethod
    async def resolve_others(obj: Any) -> int:
        await asyncio.sleep(0)
        return 3


async def here(function, *args):
    return function(*args)


async def in_task(function, *args):
    return await asyncio.create_task(here(function, *args))


async def in_thread_of_asgirefs(function, *args):
    return await sync_to_async(function)(*args)


async def in_thread_of_its_own(function, *args):
    return await sync_to_async(function, thread_sensitive=False)(*args)


PLACES = {
    "the operation": here,
    "a task": in_task,
    "a thread of asyncio's": asyncio.to_thread,
    "asgiref's thread": in_thread_of_asgirefs,
    "a thread of its own": in_thread_of_its_own,
}


def serving(kind, schema, place):
    """Return a client of an operation that reads through a schema in a place."""
    api = kind()

    @api.get("/it", response=schema)
    async def it(request):
        return await PLACES[place](schema.from_orm, Article(title="title"))

    return TestAsyncClient(api)


@pytest.mark.needs_thread("the operation starts it")
@pytest.mark.parametrize("place", PLACES)
async def test_an_object_is_read_through_a_schema_in(place):
    stock = await serving(NinjaAPI, Title, place).get("/it")
    ours = await serving(TurboNinjaAPI, Title, place).get("/it")

    assert (ours.status_code, ours.content) == (stock.status_code, stock.content)
    assert ours.json() == {"title": "title", "shout": "TITLE"}


@pytest.mark.needs_thread("the operation starts it")
@pytest.mark.parametrize("place", [place for place in PLACES if place != "a task"])
async def test_a_resolver_that_is_a_coroutine_function_is_waited_for_in(place):
    response = await serving(TurboNinjaAPI, Counted, place).get("/it")

    assert response.json() == {"title": "title", "others": 3}


async def test_a_resolver_that_nothing_can_wait_for_says_so():
    with pytest.raises(ValidationError, match=r"MissingBridge: await_\(.*Run the synchronous code"):
        await serving(TurboNinjaAPI, Counted, "a task").get("/it")


async def test_a_task_that_was_cancelled_reads_as_it_does_in_stock_ninja():
    async def read():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # Nobody says `uncancel()`: this task goes on as if nothing had been.
            return Title.from_orm(Article(title="title"))

    def of(kind):
        api = kind()

        @api.get("/it", response=Title)
        async def it(request):
            task = asyncio.create_task(read())
            await asyncio.sleep(0)
            task.cancel()
            return await task

        return TestAsyncClient(api).get("/it")

    assert (await of(TurboNinjaAPI)).json() == (await of(NinjaAPI)).json()


@pytest.mark.needs_thread("the operation starts it")
@pytest.mark.parametrize("place", [place for place in PLACES if place != "the operation"])
async def test_what_an_operation_has_read_elsewhere_is_read_though_it_was_cancelled(place):
    api = TurboNinjaAPI()

    @api.get("/it", response=Title)
    async def it(request):
        task = asyncio.current_task()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        found = await PLACES[place](Title.from_orm, Article(title="title"))
        if hasattr(task, "uncancel"):
            task.uncancel()
        return found

    assert (await TestAsyncClient(api).get("/it")).json() == {"title": "title", "shout": "TITLE"}


@pytest.mark.needs_thread("async_to_sync runs its loop in one")
def test_schemas_of_an_api_are_read_where_no_loop_runs():
    for schema in (Title, Counted):
        asyncio.run(serving(TurboNinjaAPI, schema, "the operation").get("/it"))

    assert Title.from_orm(Article(title="a")).dict() == {"title": "a", "shout": "A"}
    assert Counted.from_orm(Article(title="a")).dict() == {"title": "a", "others": 3}


@pytest.mark.rolled_back
async def test_an_operation_that_calls_a_paginated_one_is_finished_as_itself():
    api = TurboNinjaAPI()

    @api.get("/articles", response=list[schemas.ArticleOut])
    @paginate(LimitOffsetPagination)
    async def articles(request):
        return Article.objects.order_by("title")

    @api.get("/authors", response=list[schemas.AuthorWithProfile])
    async def authors(request):
        page = await articles(request, ninja_pagination=LimitOffsetPagination.Input(limit=2))
        titles = [article.title for article in page["items"]]
        return Author.objects.filter(articles__title__in=titles).order_by("name")

    await fill()
    with counted() as statements:
        response = await TestAsyncClient(api).get("/authors")

    assert [(author["name"], author["profile"]) for author in response.json()] == [
        ("author0", {"bio": "bio0"}),
        ("author1", {"bio": "bio1"}),
    ]
    # The page and its count; the authors, with their profiles.
    assert len(statements) == 3


def refusing(calls):
    def refuse(request):
        calls.append(threading.current_thread() is threading.main_thread())
        raise SynchronousOnlyOperation("not on a loop")

    return refuse


async def test_a_callback_that_raises_on_the_loop_is_called_once():
    calls = []
    api = TurboNinjaAPI()

    @api.get("/it", auth=refusing(calls))
    async def it(request):
        raise AssertionError

    with pytest.raises(SynchronousOnlyOperation, match="Decorate it with .*async_unsafe"):
        await TestAsyncClient(api).get("/it")

    assert calls == [True]


async def test_a_throttle_that_raises_on_the_loop_is_called_once():
    calls = []

    class Throttle(BaseThrottle):
        def allow_request(self, request):
            return refusing(calls)(request)

    def of(kind):
        api = kind()

        @api.get("/it", throttle=Throttle())
        async def it(request):
            raise AssertionError

        return TestAsyncClient(api).get("/it")

    for kind in (NinjaAPI, TurboNinjaAPI):
        with pytest.raises(SynchronousOnlyOperation, match="^not on a loop$"):
            await of(kind)

    assert calls == [True, True]


def unsafe_function(calls):
    @async_unsafe("not here")
    def unsafe(request):
        calls.append(threading.current_thread() is threading.main_thread())
        return "known"

    return unsafe


def unsafe_bearer(calls):
    class Bearer(HttpBearer):
        @async_unsafe
        def authenticate(self, request, token):
            return unsafe_function(calls)(request)

    return Bearer()


def unsafe_object(calls):
    class Key(APIKeyHeader):
        def authenticate(self, request, key):
            raise AssertionError

        @async_unsafe
        def __call__(self, request):
            return unsafe_function(calls)(request)

    return Key()


@pytest.mark.needs_thread("a callback that refuses to run on an event loop")
@pytest.mark.parametrize("make", [unsafe_function, unsafe_bearer, unsafe_object])
async def test_a_callback_that_says_it_is_unsafe_has_a_thread_and_is_called_once(make):
    calls = []

    def of(kind):
        api = kind()

        @api.get("/it", auth=make(calls), response=str)
        async def it(request):
            return request.auth

        return TestAsyncClient(api).get("/it", headers={"Authorization": "Bearer x"})

    assert (await of(NinjaAPI)).json() == (await of(TurboNinjaAPI)).json() == "known"
    assert calls == [False, False]


# No other test has it: asgiref's thread keeps the connection that it made for an alias.
LITE = "lite_of_ninja"


@pytest.fixture
def lite(tmp_path):
    """A SQLite database, which nothing can await, with the authors."""
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "lite.sqlite3"}
    connections.settings[LITE] = connections.configure_settings({"default": {}, LITE: settings})[
        LITE
    ]
    with connections[LITE].schema_editor() as editor:
        editor.create_model(Author)
    Author.objects.using(LITE).create(name="ada")
    yield
    connections[LITE].close()
    del connections[LITE]
    del connections.settings[LITE]


@pytest.mark.needs_thread("SQLite has no asynchronous driver")
async def test_a_callback_may_ask_a_database_that_cannot_be_awaited(lite):
    calls = []

    def known(request):
        calls.append(request)
        return Author.objects.using(LITE).get().name

    def of(kind):
        api = kind()

        @api.get("/it", auth=known, response=str)
        async def it(request):
            return request.auth

        return TestAsyncClient(api).get("/it")

    assert (await of(NinjaAPI)).json() == (await of(TurboNinjaAPI)).json() == "ada"
    assert len(calls) == 2
    await sync_to_async(connections.close_all)()


@pytest.mark.needs_thread("async_to_sync runs its loop in one")
def test_a_handler_that_is_a_coroutine_function_answers_a_synchronous_operation():
    api = TurboNinjaAPI()

    @api.exception_handler(ZeroDivisionError)
    async def handle(request, error):
        await asyncio.sleep(0)
        return api.create_response(request, "divided", status=418)

    @api.get("/it")
    def it(request):
        raise ZeroDivisionError

    assert TestClient(api).get("/it").status_code == 418
