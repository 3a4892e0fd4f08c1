"""The view under our handler and Django's own, with the test client, and what a request loads."""

import asyncio
import json
from typing import Any

import django
import pytest
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.test import override_settings
from django.urls import path
from strawberry.django.views import GraphQLView
from strawberry.schema.config import StrawberryConfig

import strawberry
import turbo_orm_strawberry as turbo
from tests.asgi_client import Client
from tests.ninja.helpers import counted, fill
from tests.strawberry.common import Article, schema, sleep
from tests.testapp import models
from tests.waiting import until_asleep
from turbo_orm import run_sync
from turbo_orm.asgi import TurboASGIHandler, on_loop
from turbo_orm_strawberry import AsyncGraphQLView
from turbo_orm_strawberry.test import AsyncTestClient

ARTICLES = "{ articles { title author { name } tags { name } } }"


@strawberry.type
class Query:
    articles: list[Article] = turbo.field()

    @strawberry.field
    def me(self, info: strawberry.Info) -> str:
        return info.context.request.user.username

    @strawberry.field
    async def me_too(self, info: strawberry.Info) -> str:
        await asyncio.sleep(0)
        return info.context.request.user.username

    @strawberry.field
    def noted(self, info: strawberry.Info, name: str) -> str:
        info.context.request.session[name] = name
        return name

    @strawberry.field
    def in_context(self, info: strawberry.Info) -> int:
        return info.context["articles"]

    @strawberry.field
    def slow(self) -> int:
        sleep()
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self, name: str) -> str:
        return models.Tag.objects.create(name=name).name

    @strawberry.mutation
    def write_and_fail(self, name: str) -> str:
        models.Tag.objects.create(name=name)
        raise LookupError(name)


class View(AsyncGraphQLView):
    async def get_context(self, request: Any, response: Any) -> Any:
        context = await super().get_context(request, response)
        context.articles = models.Article.objects.count()
        return context


def urls(view=AsyncGraphQLView, **options):
    batching = StrawberryConfig(batching_config={"max_operations": 5})
    built = schema(Query, Mutation, config=batching)
    return (path("graphql/", view.as_view(schema=built, **options)),)


@pytest.fixture(params=[TurboASGIHandler, ASGIHandler], ids=["our handler", "Django's handler"])
def browser(request):
    with override_settings(ROOT_URLCONF=urls(View), ALLOWED_HOSTS=["testserver"]):
        yield Client(request.param())


async def asked(client, query, **more):
    """Return what is answered to one operation, or to a list of them."""
    body = [{"query": one} for one in query] if isinstance(query, list) else {"query": query}
    response = await client.request(
        "/graphql/", "POST", [json.dumps(body).encode()], {"content-type": "application/json"}
    )
    assert response.status == 200, response.text
    return json.loads(response.text)


async def test_a_request_is_answered_without_a_thread(browser):
    await fill(0, 1)

    assert await asked(browser, ARTICLES + "") == {
        "data": {
            "articles": [
                {
                    "title": "title0",
                    "author": {"name": "author0"},
                    "tags": [{"name": f"tag{n}"} for n in range(3)],
                }
            ]
        }
    }


async def test_the_context_may_be_made_of_plain_queries(browser):
    await fill()

    assert await asked(browser, "{ inContext }") == {"data": {"inContext": 3}}


async def test_the_user_and_the_session_are_loaded_once_for_all_fields(browser, logged_in):
    await logged_in(browser, "ada")

    with counted() as statements:
        found = await asked(browser, "{ a: me b: me c: meToo d: meToo }")

    assert found == {"data": dict.fromkeys("abcd", "ada")}
    # What the context counts, the session, the user.
    assert len(statements) == 3


async def test_neither_is_loaded_for_an_operation_that_asks_for_none(browser, logged_in):
    await logged_in(browser, "ada")

    with counted() as statements:
        await asked(browser, "{ articles { title } __typename }")

    assert not any("session" in sql or "auth_user" in sql for sql in statements)


async def test_what_fields_put_into_the_session_side_by_side_is_all_kept(browser, logged_in):
    await logged_in(browser, "ada")

    await asked(browser, '{ me a: noted(name: "a") b: noted(name: "b") c: noted(name: "c") }')

    session = await run_sync(stored_session)
    assert {"a", "b", "c"} <= session.keys()


def stored_session():
    from django.contrib.sessions.models import Session

    return Session.objects.get().get_decoded()


async def test_operations_of_a_batch_run_side_by_side(browser):
    await fill()

    batch = ["{ articles { title } }", "{ me }", 'mutation { write(name: "x") }']
    found = await asked(browser, batch)

    assert found == [
        {"data": {"articles": [{"title": f"title{n}"} for n in range(3)]}},
        {"data": {"me": ""}},
        {"data": {"write": "x"}},
    ]


async def test_a_query_may_be_sent_in_the_address(browser):
    response = await browser.get("/graphql/?query={me}")

    assert json.loads(response.text) == {"data": {"me": ""}}


async def test_the_page_of_graphiql_is_there(browser):
    response = await browser.request("/graphql/", headers={"accept": "text/html"})

    assert (response.status, "GraphiQL" in response.text) == (200, True)


@pytest.fixture
def listening(browser):
    """A client of a handler that hears when it leaves; Django's own does since 5.0."""
    if django.VERSION < (5, 0) and not isinstance(browser.application, TurboASGIHandler):
        browser.application = TurboASGIHandler()
    return browser


async def test_a_client_that_leaves_ends_its_operation(listening, at_rest):
    body = json.dumps({"query": "{ a: slow b: slow }"}).encode()
    request = listening.begin("/graphql/", "POST", [body], {"content-type": "application/json"})
    await until_asleep()

    request.disconnect()
    await asyncio.wait({request.task}, timeout=10)

    assert request.task.done()


async def test_fields_of_a_request_in_a_transaction_share_it(serve, at_rest):
    from django.db import connections

    connections.settings["default"]["ATOMIC_REQUESTS"] = True
    try:
        client = serve(urls(View))
        found = await asked(client, 'mutation { a: write(name: "a") b: writeAndFail(name: "b") }')
        await asked(client, "{ a: me b: me c: inContext articles { title } }")
    finally:
        connections.settings["default"]["ATOMIC_REQUESTS"] = False

    assert [error["message"] for error in found["errors"]] == ["b"]
    # A response commits, as ever; the error is part of it.
    assert sorted([tag.name async for tag in models.Tag.objects.all()]) == ["a", "b"]


async def test_the_synchronous_view_may_run_on_the_loop(serve):
    await fill()
    view = on_loop(GraphQLView.as_view(schema=schema(Query)))
    client = serve([path("graphql/", view)])

    found = await asked(client, "{ articles { title } me }")

    assert found["data"] == {"articles": [{"title": f"title{n}"} for n in range(3)], "me": ""}


@pytest.mark.rolled_back
async def test_the_test_client_logs_in_and_asks():
    user = await run_sync(User.objects.create_user, "ada")
    with override_settings(ROOT_URLCONF=urls(), ALLOWED_HOSTS=["testserver"]):
        client = AsyncTestClient("/graphql/")
        async with client.login(user):
            inside = await client.query("{ me meToo }")
        outside = await client.query("{ me }")

    assert inside.data == {"me": "ada", "meToo": "ada"}
    assert outside.data == {"me": ""}


@pytest.mark.rolled_back
def test_the_test_client_works_in_a_synchronous_test_too():
    from django.test import Client as SyncClient
    from strawberry_django.test.client import TestClient

    models.Tag.objects.create(name="it")
    built = schema(Query)
    with override_settings(ROOT_URLCONF=(path("graphql/", GraphQLView.as_view(schema=built)),)):
        found = TestClient("/graphql/", SyncClient()).query("{ me }")

    assert found.data == {"me": ""}
    connection.close()
