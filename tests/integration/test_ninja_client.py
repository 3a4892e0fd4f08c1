"""The test clients of the adapter, beside Ninja's own."""

import asyncio
import io
import unittest
from typing import Any

import ninja.testing
import pytest
from django.http import HttpResponse
from ninja.files import UploadedFile
from ninja.security import django_auth

from ninja import JSONL, File, Form, NinjaAPI, Router, Schema
from tests.ninja import schemas
from tests.ninja.helpers import fill
from tests.testapp.models import Article, Author, Tag
from turbo_orm.test import TestCase
from turbo_orm_ninja import TurboNinjaAPI
from turbo_orm_ninja.test import TestAsyncClient, TestClient


class Numbers(Schema):
    numbers: list[int]


class User:
    is_authenticated = True
    name = "ada"


def add_synchronous(api: Any) -> Any:
    """Add operations of Ninja's own kind."""

    @api.get("/echo")
    def echo(request, numbers: int = 0):
        return {
            "query": request.GET.dict(),
            "header": request.headers.get("X-Name"),
            "cookies": request.COOKIES,
            "number": numbers,
            "path": request.path,
            "absolute": request.build_absolute_uri("x"),
        }

    @api.post("/body")
    def body(request, data: Numbers):
        return sum(data.numbers)

    @api.api_operation(["PUT", "PATCH", "DELETE"], "/method")
    def method(request):
        return request.method

    @api.post("/form")
    def form(request, name: Form[str]):
        return name

    @api.post("/file")
    def file(request, sent: File[UploadedFile]):
        return sent.read().decode()

    @api.get("/me", auth=django_auth)
    def me(request):
        return request.auth.name

    @api.get("/seen")
    def seen(request, response: HttpResponse):
        response.set_cookie("seen", "yes")
        response["X-Seen"] = "yes"
        return response.headers["X-Seen"]

    @api.get("/lines", response=JSONL[Numbers])
    def lines(request):
        yield {"numbers": [1]}
        yield {"numbers": [2]}

    return api


def add_asynchronous(api: Any) -> Any:
    """Add the same, as coroutine functions."""

    @api.get("/echo")
    async def echo(request, numbers: int = 0):
        return {
            "query": request.GET.dict(),
            "header": request.headers.get("X-Name"),
            "cookies": request.COOKIES,
            "number": numbers,
            "path": request.path,
            "absolute": request.build_absolute_uri("x"),
        }

    @api.post("/body")
    async def body(request, data: Numbers):
        return sum(data.numbers)

    @api.api_operation(["PUT", "PATCH", "DELETE"], "/method")
    async def method(request):
        return request.method

    @api.post("/form")
    async def form(request, name: Form[str]):
        return name

    @api.post("/file")
    async def file(request, sent: File[UploadedFile]):
        return sent.read().decode()

    @api.get("/me", auth=django_auth)
    async def me(request):
        return request.auth.name

    @api.get("/seen")
    async def seen(request, response: HttpResponse):
        response.set_cookie("seen", "yes")
        response["X-Seen"] = "yes"
        return response.headers["X-Seen"]

    @api.get("/lines", response=JSONL[Numbers])
    async def lines(request):
        yield {"numbers": [1]}
        yield {"numbers": [2]}

    return api


def sent_file() -> Any:
    return UploadedFile(io.BytesIO(b"content"), "name.txt")


# What is asked for, as both clients are asked.
REQUESTS: dict[str, Any] = {
    "query": lambda client: client.get("/echo?numbers=3"),
    "query by name": lambda client: client.get("/echo", query_params={"numbers": 3}),
    "headers": lambda client: client.get("/echo", headers={"X-Name": "bob"}),
    "cookies": lambda client: client.get("/echo", COOKIES={"key": "other"}),
    "invalid": lambda client: client.get("/echo?numbers=x"),
    "request": lambda client: client.request("GET", "/echo"),
    "json": lambda client: client.post("/body", json={"numbers": [1, 2]}),
    "body": lambda client: client.post("/body", data='{"numbers": [3]}'),
    "put": lambda client: client.put("/method"),
    "patch": lambda client: client.patch("/method"),
    "delete": lambda client: client.delete("/method"),
    "form": lambda client: client.post("/form", data={"name": "ada"}),
    "file": lambda client: client.post("/file", FILES={"sent": sent_file()}),
    "user": lambda client: client.get("/me", user=User()),
    "nobody": lambda client: client.get("/me"),
    "response": lambda client: client.get("/seen"),
    "stream": lambda client: client.get("/lines"),
}
OPTIONS: Any = {"headers": {"X-Name": "ada"}, "COOKIES": {"session": "1", "key": "one"}}


def summary(response: Any) -> Any:
    return {
        "status": response.status_code,
        "content": response.content,
        "streaming": response.streaming,
        "data": None if response.streaming else (response.json(), response.data),
        "type": response["Content-Type"],
        "seen": response.headers.get("X-Seen"),
        "cookies": response.cookies.output(),
    }


@pytest.mark.needs_thread("a synchronous operation in an asynchronous test, and the reverse")
@pytest.mark.parametrize("name", REQUESTS)
def test_operations_of_either_kind_answer_either_client_as_ninjas_own_answers(name):
    request = REQUESTS[name]
    expected = summary(request(ninja.testing.TestClient(add_synchronous(NinjaAPI()), **OPTIONS)))

    async def ask(api):
        return summary(await request(TestAsyncClient(api, **OPTIONS)))

    for add in (add_synchronous, add_asynchronous):
        api = add(TurboNinjaAPI())
        assert summary(request(TestClient(api, **OPTIONS))) == expected
        assert asyncio.run(ask(api)) == expected


@pytest.mark.rolled_back
async def test_a_router_is_served_as_the_api_of_the_adapter_serves_it():
    router = Router()

    @router.get("/articles", response=list[schemas.ArticleOut])
    async def articles(request):
        return Article.objects.all()

    await fill(0, 1)
    response = await TestAsyncClient(router).get("/articles")
    again = await TestAsyncClient(router).get("/articles")

    assert response.json()[0]["author"] == {"id": 1, "name": "author0"}
    assert again.json() == response.json()


def test_other_names_are_ninjas():
    from turbo_orm_ninja import test

    assert test.client is ninja.testing.client


api = TurboNinjaAPI(urls_namespace="clients")


@api.post("/tags", response=schemas.TagModel)
async def add_tag(request, name: str):
    return await Tag.objects.acreate(name=name)


@api.get("/authors", response=list[schemas.AuthorOut])
async def authors(request):
    return Author.objects.order_by("name")


def case_of_a_project():
    """Return what a project's tests look like; pytest must not find it."""

    class InTestCase(TestCase):
        @classmethod
        def setUpTestData(cls):
            Author.objects.create(name="ada")

        def test_synchronously(self):
            client = TestClient(api)

            assert client.get("/authors").json()[0]["name"] == "ada"
            assert client.post("/tags?name=new").json()["name"] == "new"
            assert Tag.objects.filter(name="new").exists()

        async def test_asynchronously(self):
            client = TestAsyncClient(api)

            assert (await client.get("/authors")).json()[0]["name"] == "ada"
            assert (await client.post("/tags?name=new")).json()["name"] == "new"
            assert await Tag.objects.filter(name="new").aexists()

    return InTestCase


@pytest.mark.needs_thread("async_to_sync runs its loop in one")
@pytest.mark.parametrize("name", ["test_synchronously", "test_asynchronously"])
def test_in_a_test_case_operations_are_in_its_transaction(name):
    suite = unittest.TestSuite([case_of_a_project()(name)])
    result = unittest.TestResult()
    suite.run(result)

    assert (result.testsRun, result.errors, result.failures) == (1, [], [])
    assert not Tag.objects.exists()
