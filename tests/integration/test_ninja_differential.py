"""Our asynchronous responses are stock Ninja's synchronous ones, byte for byte."""

import asyncio
import base64
import dataclasses
import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client

from tests.ninja import common
from tests.testapp.models import Article, Plain
from turbo_orm import close_pools
from turbo_orm.test import AsyncClient


@dataclasses.dataclass
class Case:
    """A request, sent to both."""

    path: str
    method: str = "get"
    data: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    cookies: dict[str, str] = dataclasses.field(default_factory=dict)
    login: bool = False
    times: int = 1
    checks_csrf: bool = False


BASIC = base64.b64encode(b"author1:s3cret").decode()
WRONG = base64.b64encode(b"author1:wrong").decode()
NEW = {"title": "new one", "author_id": 1, "tags": ["tag1", "fresh"]}
CURSOR = base64.b64encode(b"p=30").decode()

NOWHERE = "no such path"
CASES = {
    "list": Case("list"),
    "three levels": Case("deep"),
    "model schema": Case("model"),
    "nested model schemas": Case("nested"),
    "aliases": Case("aliased"),
    "aliases in the response": Case("by-alias"),
    "computed fields": Case("computed"),
    "resolvers that query": Case("resolved"),
    "resolvers that say what they read": Case("declared"),
    "a list of objects with reverse relations": Case("authors"),
    "a manager": Case("manager"),
    "a related manager": Case("related"),
    "values": Case("values"),
    "a dictionary with a queryset": Case("page"),
    "one": Case("one/2"),
    "one without a one-to-one": Case("one/3"),
    "one that is missing": Case("one/99"),
    "a path that is no number": Case("one/x"),
    "one without empty values": Case("get/1"),
    "DoesNotExist": Case("get/99"),
    "a status with an object": Case("first?title=title1"),
    "a status without": Case("first"),
    "created": Case("articles", "post", NEW),
    "created, too short": Case("articles", "post", {**NEW, "title": "x"}),
    "created, several errors": Case("articles", "post", {"author_id": "x"}),
    "created, no JSON": Case("articles", "post", "{"),
    "updated": Case("articles/1", "put", {**NEW, "title": "changed"}),
    "updated, missing": Case("articles/99", "put", NEW),
    "deleted": Case("articles/1", "delete"),
    "deleted, missing": Case("articles/99", "delete"),
    "IntegrityError": Case("tags?name=tag0", "post"),
    "no IntegrityError": Case("tags?name=tag9", "post"),
    "limit and offset": Case("limit?limit=2&offset=1"),
    "limit that is too small": Case("limit?limit=0"),
    "page": Case("numbered?page=2"),
    "page that is empty": Case("numbered?page=9"),
    "cursor": Case("cursor"),
    "cursor, next": Case(f"cursor?cursor={CURSOR}"),
    "cursor, wrong": Case("cursor?cursor=!"),
    "pages of a list": Case("limit-list?limit=2"),
    "filter": Case("filtered?author=author1"),
    "filter by several": Case("filtered?words=TITLE&is_published=false"),
    "filter, wrong": Case("filtered?is_published=perhaps"),
    "order": Case("sorted?order_by=-title"),
    "default order, search": Case("sorted?search=author title"),
    "order that is not allowed": Case("sorted?order_by=metadata"),
    "session": Case("session", login=True),
    "no session": Case("session"),
    "key in a header": Case("header", headers={"X-API-Key": "author1"}),
    "wrong key in a header": Case("header", headers={"X-API-Key": "nobody"}),
    "no key in a header": Case("header"),
    "key in the query": Case("query?key=author1"),
    "key in a cookie": Case("cookie", "post", cookies={"key": "author1"}),
    "key in a cookie, CSRF": Case("cookie", "post", cookies={"key": "author1"}, checks_csrf=True),
    "bearer": Case("bearer", headers={"Authorization": "Bearer author1"}),
    "another of two": Case("bearer", headers={"X-API-Key": "author2"}),
    "wrong bearer": Case("bearer", headers={"Authorization": "Bearer nobody"}),
    "basic": Case("basic", headers={"Authorization": f"Basic {BASIC}"}),
    "basic, wrong": Case("basic", headers={"Authorization": f"Basic {WRONG}"}),
    "a callable": Case("callable?who=author1"),
    "a callable that says no": Case("callable?who=nobody"),
    "a callable that fails": Case("failing"),
    "throttled": Case("throttled", times=3),
    "not yet throttled": Case("throttled", times=2),
    "headers and cookies": Case("headers"),
    "a handler of the project's": Case("refused"),
    "HttpError": Case("teapot"),
    "an error that nobody handles": Case("broken"),
    "a response that is not valid": Case("invalid"),
    "a response of Django's": Case("plain"),
    "without a schema": Case("free"),
    "one of two schemas": Case("union"),
    "JSON lines": Case("lines"),
    "events": Case("events"),
    "one path, get": Case("method"),
    "one path, post": Case("method?factor=3", "post"),
    "one path, post, wrong": Case("method", "post"),
    "one path, no such method": Case("method", "delete"),
    NOWHERE: Case("nothing"),
    "documentation": Case("docs"),
}


@pytest.fixture(autouse=True)
def urls(settings_of_the_test):
    return settings_of_the_test


@pytest.fixture
def settings_of_the_test():
    from django.test import override_settings

    with override_settings(ROOT_URLCONF="tests.ninja.urls", ALLOWED_HOSTS=["testserver"]):
        yield


def begin():
    """Make the rows anew, with the same keys."""
    from django.apps import apps

    tables = ", ".join(
        f'"{model._meta.db_table}"'
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in {"testapp", "sessions"}
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}, auth_user RESTART IDENTITY CASCADE")
    cache.clear()
    ContentType.objects.get_for_models(Article, Plain)
    common.fill()
    User.objects.create_user("ada")
    connection.close()


def arguments(case: Case, flavour: str) -> tuple[str, dict[str, Any]]:
    keywords: dict[str, Any] = {}
    if case.data is not None:
        text = case.data if isinstance(case.data, str) else json.dumps(case.data)
        keywords |= {"data": text, "content_type": "application/json"}
    for name, value in case.headers.items():
        keywords[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return f"/{flavour}/{case.path}", keywords


def prepared(client: Any, case: Case) -> Any:
    client.raise_request_exception = False
    client.cookies.load(case.cookies)
    if case.login:
        client.force_login(User.objects.get(username="ada"))
        connection.close()
    return client


def synchronous(case: Case) -> Any:
    client = prepared(Client(enforce_csrf_checks=case.checks_csrf), case)
    path, keywords = arguments(case, "stock")
    for _ in range(case.times):
        response = getattr(client, case.method)(path, **keywords)
    content = response.getvalue() if response.streaming else response.content
    return summary(response, content)


def asynchronous(case: Case) -> Any:
    client = prepared(AsyncClient(enforce_csrf_checks=case.checks_csrf), case)
    path, keywords = arguments(case, "ours")
    headers = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in keywords.items()
        if name.startswith("HTTP_")
    }
    rest = {name: value for name, value in keywords.items() if not name.startswith("HTTP_")}

    async def ask():
        try:
            for _ in range(case.times):
                response = await getattr(client, case.method)(path, **rest, **asgi(headers))
            if response.streaming:
                content = b"".join([piece async for piece in response.streaming_content])
            else:
                content = response.content
        finally:
            await close_pools()
        return summary(response, content)

    return asyncio.run(ask())


def asgi(headers: dict[str, str]) -> dict[str, Any]:
    """Return headers as keyword arguments, which every Django's client takes alike."""
    return {name.replace("-", "_"): value for name, value in headers.items()}


def summary(response: Any, content: bytes) -> Any:
    """Return everything that a client sees, without what tells the two APIs apart."""
    text = content.decode().replace("/ours/", "/stock/").replace("_ours_", "_stock_")
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    cookies = {
        name: value.OutputString()
        for name, value in response.cookies.items()
        if name != settings.SESSION_COOKIE_NAME
    }
    return response.status_code, headers, cookies, text


IN_THREAD = pytest.param(NOWHERE, marks=pytest.mark.needs_thread("no view is found"))


@pytest.mark.parametrize("name", [IN_THREAD if name == NOWHERE else name for name in CASES])
def test_the_response_is_that_of_stock_ninja(name):
    case = CASES[name]
    begin()
    expected = synchronous(case)
    rows = sorted(Article.objects.values_list("pk", "title"))
    begin()

    assert asynchronous(case) == expected
    assert sorted(Article.objects.values_list("pk", "title")) == rows


def test_the_openapi_document_is_that_of_stock_ninja():
    case = Case("openapi.json")
    begin()
    expected = synchronous(case)

    before = asynchronous(case)
    for name in ("session", "bearer", "limit and offset"):
        asynchronous(CASES[name])

    assert before == expected
    assert asynchronous(case) == expected
    assert json.loads(expected[3])["paths"]
