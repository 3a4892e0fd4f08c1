"""What an asynchronous operation may return, through whichever API, router or handler."""

import functools
import json

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings
from django.urls import path
from ninja.responses import Status
from ninja.testing import TestAsyncClient
from pydantic import field_validator

from ninja import NinjaAPI, Schema
from ninja import Router as StockRouter
from tests.asgi_client import Client
from tests.ninja import schemas
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author, Plain
from turbo_orm import in_bridge
from turbo_orm_ninja import Router, TurboNinjaAPI, turbo_view

EXPECTED = [
    {
        "id": 1,
        "title": "title0",
        "author": {"id": 1, "name": "author0"},
        "tags": [{"name": "tag0"}, {"name": "tag1"}, {"name": "tag2"}],
    }
]


async def articles(request):
    return Article.objects.all()


def of_api():
    api = TurboNinjaAPI()
    api.get("/articles", response=list[schemas.ArticleOut])(articles)
    return api


def of_router_in_our_api():
    api, router = TurboNinjaAPI(), StockRouter()
    router.get("/articles", response=list[schemas.ArticleOut])(articles)
    api.add_router("", router)
    return api


def of_our_router_in_a_stock_api():
    api, router = NinjaAPI(), Router()
    router.get("/articles", response=list[schemas.ArticleOut])(articles)
    api.add_router("", router)
    return api


def of_our_router_in_our_api():
    api, router = TurboNinjaAPI(), Router()
    router.get("/articles", response=list[schemas.ArticleOut])(articles)
    api.add_router("", router)
    return api


def of_a_child_router():
    api, router, child = NinjaAPI(), Router(), StockRouter()
    child.get("/articles", response=list[schemas.ArticleOut])(articles)
    router.add_router("", child)
    api.add_router("", router)
    return api


def of_turbo_view():
    api = NinjaAPI()

    @api.get("/articles", response=list[schemas.ArticleOut])
    @turbo_view
    async def listed(request):
        return await articles(request)

    return api


def of_turbo_view_in_our_api():
    api = TurboNinjaAPI()

    @api.get("/articles", response=list[schemas.ArticleOut])
    @turbo_view
    async def listed(request):
        return await articles(request)

    return api


WAYS = {
    function.__name__.removeprefix("of_").replace("_", " "): function
    for function in (
        of_api,
        of_router_in_our_api,
        of_our_router_in_a_stock_api,
        of_our_router_in_our_api,
        of_a_child_router,
        of_turbo_view,
        of_turbo_view_in_our_api,
    )
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_queryset_is_returned_through(way):
    await fill(0, 1)

    with counted() as statements:
        response = await TestAsyncClient(WAYS[way]()).get("/articles")

    assert (response.status_code, response.json()) == (200, EXPECTED)
    assert len(statements) == 2


async def test_a_stock_handler_serves_it_too():
    await fill(0, 1)
    api = of_api()

    class Urls:
        urlpatterns = [path("api/", api.urls)]

    with override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["testserver"]):
        response = await Client(ASGIHandler()).get("/api/articles")

    assert (response.status, json.loads(response.body)) == (200, EXPECTED)


RESULTS = {
    "queryset": (lambda: Article.objects.all(), list[schemas.Title], [{"title": "title0"}]),
    "manager": (lambda: Article.objects, list[schemas.Title], [{"title": "title0"}]),
    "queryset of Django's": (lambda: Plain.objects.all(), list[schemas.AuthorOut], []),
    "empty queryset": (lambda: Article.objects.none(), list[schemas.Title], []),
    "list": (lambda: list(Article.objects.all()), list[schemas.Title], [{"title": "title0"}]),
    "empty list": (list, list[schemas.Title], []),
    "object": (lambda: Article.objects.get(), schemas.Title, {"title": "title0"}),
    "unsaved object": (lambda: Article(title="new"), schemas.Title, {"title": "new"}),
    "None": (lambda: None, schemas.Title | None, None),
    "dictionary": (lambda: {"title": "new"}, schemas.Title, {"title": "new"}),
    "list of dictionaries": (lambda: [{"title": "n"}], list[schemas.Title], [{"title": "n"}]),
    "dictionary of rows": (
        lambda: {"total": 1, "rows": Article.objects.all(), "first": Article.objects.first()},
        schemas.Page,
        {"total": 1, "rows": EXPECTED, "first": EXPECTED[0]},
    ),
    "values": (lambda: Article.objects.values("title"), list[schemas.Title], [{"title": "title0"}]),
    "names": (
        lambda: Article.objects.values_list("title", flat=True),
        list[str],
        ["title0"],
    ),
    "schema": (lambda: schemas.Title(title="made"), schemas.Title, {"title": "made"}),
    "status": (lambda: Status(200, Article.objects.all()), {200: list[schemas.Title]}, None),
}


@pytest.mark.parametrize("kind", RESULTS)
async def test_a_result_may_be_a(kind):
    make, response, expected = RESULTS[kind]
    await fill(0, 1)
    api = TurboNinjaAPI()

    @api.get("/it", response=response)
    async def it(request):
        return make()

    answer = await TestAsyncClient(api).get("/it")

    assert answer.status_code == 200
    assert answer.json() == ([{"title": "title0"}] if kind == "status" else expected)


async def test_a_pair_of_status_and_body_is_understood_as_long_as_ninja_does():
    await fill(0, 1)
    api = TurboNinjaAPI()

    @api.get("/pair", response={201: list[schemas.Title], 404: schemas.Title})
    async def pair(request):
        return 201, Article.objects.all()

    with pytest.warns(DeprecationWarning, match="Returning tuple"):
        answer = await TestAsyncClient(api).get("/pair")

    assert (answer.status_code, answer.json()) == (201, [{"title": "title0"}])


async def test_synchronous_code_in_an_operation_may_query():
    await fill(0, 1)
    api = TurboNinjaAPI()

    @api.get("/lazy", response=str)
    async def lazy(request):
        article = await Article.objects.aget()
        return f"{article.author.name} {[tag.name for tag in article.tags.all()]} {in_bridge()}"

    answer = await TestAsyncClient(api).get("/lazy")

    assert answer.json() == "author0 ['tag0', 'tag1', 'tag2'] True"


async def test_validators_of_the_input_may_query():
    await fill(0, 1)
    api = TurboNinjaAPI()

    class Known(Schema):
        author: int

        @field_validator("author")
        @classmethod
        def exists(cls, value):
            if not Author.objects.filter(pk=value).exists():
                raise ValueError("no such author")
            return value

    @api.post("/known", response=int)
    async def known(request, data: Known):
        return data.author

    client = TestAsyncClient(api)

    assert (await client.post("/known", json={"author": 1})).json() == 1
    refused = await client.post("/known", json={"author": 9})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["msg"] == "Value error, no such author"


async def test_a_synchronous_operation_stays_what_it_is():
    api = TurboNinjaAPI()

    @api.get("/plain", response=bool)
    def plain(request):
        return in_bridge()

    [operation] = api._get_bound_routers()[0].path_operations["/plain"].operations

    assert operation.is_async is False
    assert operation.run.__func__ is type(operation).run
    assert operation.view_func is plain


def test_turbo_view_refuses_what_has_a_thread():
    with pytest.raises(TypeError, match="takes an `async def` function"):

        @turbo_view
        def plain(request):
            return None


async def test_decorators_of_the_project_see_each_operation_from_both_sides():
    await fill(0, 1)
    api = TurboNinjaAPI()
    seen = []

    def noting(name):
        def decorate(function):
            @functools.wraps(function)
            async def wrapper(request, *args, **kwargs):
                result = await function(request, *args, **kwargs)
                seen.append((name, type(result).__name__))
                return result

            return wrapper

        return decorate

    api.add_decorator(noting("operation"))
    api.add_decorator(noting("view"), mode="view")
    api.get("/articles", response=list[schemas.ArticleOut])(articles)

    response = await TestAsyncClient(api).get("/articles")

    assert response.json() == EXPECTED
    assert seen == [("operation", "list"), ("view", "HttpResponse")]
