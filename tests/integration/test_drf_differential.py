"""Our asynchronous responses are stock DRF's synchronous ones, byte for byte."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import re
from collections.abc import Collection
from inspect import iscoroutinefunction
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.urls import Resolver404, resolve
from rest_framework.authtoken.models import Token

from tests.drf.rows import fill
from tests.testapp.models import Article, Author, Plain, Tag
from turbo_orm import close_pools, run_sync
from turbo_orm.test import AsyncClient


@dataclasses.dataclass
class Case:
    """A request, sent to both."""

    path: str
    method: str = "get"
    data: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    login: bool = False
    times: int = 1
    content_type: str = "application/json"
    # drf-spectacular's own views are synchronous: a project lets them run on the loop.
    sync_views: str = "thread"


def basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'ada:{password}'.encode()).decode()}"}


HTML = {"Accept": "text/html"}
TOKEN = {"Authorization": "Token 0123456789"}
FORM = "application/x-www-form-urlencoded"
NEW = {"title": "new", "author_id": 1, "editor": None, "tags": ["tag1"], "metadata": {"a": [1]}}
DEEP = {"name": "deep", "articles": [NEW, {**NEW, "title": "second", "tags": []}]}

CASES = {
    "root": Case(""),
    "root as html": Case("", headers=HTML),
    "root with a suffix": Case(".json"),
    "list, first page": Case("articles/"),
    "list, last page": Case("articles/?page=last"),
    "list, page size": Case("articles/?page=2&size=3"),
    "list, no such page": Case("articles/?page=9"),
    "list, page that is no number": Case("articles/?page=x"),
    "list, searched": Case("articles/?search=author3"),
    "list, ordered": Case("articles/?ordering=-title,views"),
    "list, filtered": Case("articles/?author=author1&is_published=true"),
    "list, filtered by tags": Case("articles/?tags=1&tags=2&least=5"),
    "list, wrong filter": Case("articles/?least=x&tags=99"),
    "list, browsable": Case("articles/?page=2", headers=HTML),
    "list, browsable, logged in": Case("articles/", headers=HTML, login=True),
    "list, format": Case("articles/?format=json"),
    "list, suffix": Case("articles.json"),
    "list, unknown format": Case("articles/?format=xml"),
    "list, not acceptable": Case("articles/", headers={"Accept": "image/png"}),
    "list, head": Case("articles/", "head"),
    "list, options": Case("articles/", "options"),
    "detail": Case("articles/2/"),
    "detail, browsable": Case("articles/2/", headers=HTML, login=True),
    "detail, options": Case("articles/2/", "options"),
    "detail, options, browsable": Case("articles/2/", "options", headers=HTML),
    "detail, missing": Case("articles/99/"),
    "detail, no number": Case("articles/x/"),
    "created": Case("articles/", "post", NEW),
    "created from a form": Case("articles/", "post", "title=f&author_id=2&tags=tag0", {}, False),
    "created, browsable": Case("articles/", "post", NEW, HTML),
    "created, invalid": Case("articles/", "post", {"title": "", "author_id": 99, "tags": ["x"]}),
    "created, invalid, browsable": Case("articles/", "post", {"title": ""}, HTML),
    "created, refused as a whole": Case("articles/", "post", {**NEW, "metadata": {"title": "new"}}),
    "created, no JSON": Case("articles/", "post", "{"),
    "created, media type": Case("articles/", "post", "<a/>", content_type="text/xml"),
    "replaced": Case("articles/1/", "put", NEW),
    "changed": Case("articles/1/", "patch", {"tags": ["tag2"]}),
    "changed, invalid": Case("articles/1/", "patch", {"tags": "tag0"}),
    "deleted": Case("articles/1/", "delete"),
    "deleted, missing": Case("articles/99/", "delete"),
    "method that is not allowed": Case("articles/", "put", NEW),
    "action": Case("articles/3/labels/"),
    "action, another method": Case("articles/3/labels/", "post", {"name": "fresh"}),
    "action, unique": Case("articles/3/labels/", "post", {"name": "tag1"}),
    "action with permissions": Case("articles/total/"),
    "action with permissions, logged in": Case("articles/total/", login=True),
    "action with a path and headers": Case("articles/by-author/"),
    "slice": Case("authors/?limit=2&offset=1"),
    "slice, default": Case("authors/"),
    "slice, empty": Case("authors/?offset=50"),
    "slice, browsable": Case("authors/?limit=2", headers=HTML),
    "links": Case("authors/3/"),
    "read only": Case("authors/", "post", {"name": "x"}),
    "nested lists": Case("deep/"),
    "nested, created": Case("deep/", "post", DEEP),
    "nested, invalid": Case("deep/", "post", {"name": "x", "articles": [NEW, {"title": 5}]}),
    "cursor": Case("cursor/"),
    "cursor, next": Case("cursor/?cursor=cD0xMA%3D%3D"),
    "cursor, back": Case("cursor/?cursor=cj0xJnA9MTA%3D"),
    "cursor, wrong": Case("cursor/?cursor=%21"),
    "cursor, browsable": Case("cursor/", headers=HTML),
    "generic list": Case("tags"),
    "generic list, suffix": Case("tags.api"),
    "generic created, unique": Case("tags", "post", {"name": "tag1"}),
    "generic detail by name": Case("tags/tag1/"),
    "generic replaced": Case("tags/tag1/", "put", {"name": "other"}),
    "generic deleted": Case("tags/tag2/", "delete"),
    "permission": Case("guarded/2/", headers={"X-Reader": "author1"}),
    "permission of another object": Case("guarded/2/", headers={"X-Reader": "author2"}),
    "permission, nobody": Case("guarded/2/"),
    "permissions of the model": Case("owned/", login=True),
    "permissions of the model, anonymous": Case("owned/"),
    "session": Case("whoami/", login=True),
    "session, CSRF": Case("whoami/", "post", {}, login=True),
    "token": Case("whoami/", headers=TOKEN),
    "token, post": Case("whoami/", "post", {}, TOKEN),
    "token, wrong": Case("whoami/", headers={"Authorization": "Token wrong"}),
    "basic": Case("whoami/", headers=basic("s3cret")),
    "basic, wrong": Case("whoami/", headers=basic("wrong")),
    "basic, malformed": Case("whoami/", headers={"Authorization": "Basic !"}),
    "nobody": Case("whoami/"),
    "nobody, browsable": Case("whoami/", headers=HTML),
    "version": Case("versioned/", headers={"Accept": "application/json; version=2"}),
    "no version": Case("versioned/"),
    "error of the project's": Case("failing/teapot/"),
    "error of the project's, browsable": Case("failing/teapot/", headers=HTML),
    "validation error": Case("failing/invalid/"),
    "Http404": Case("failing/missing/"),
    "error that nobody handles": Case("failing/unhandled/"),
    "function": Case("first/"),
    "function, post": Case("first/", "post", {"name": "changed"}),
    "function, post, invalid": Case("first/", "post", {"name": "tag1"}),
    "function, browsable": Case("first/", headers=HTML),
    "function, not allowed": Case("first/", "delete"),
    "not yet throttled": Case("throttled/", times=2),
    "throttled": Case("throttled/", times=3),
    "schema": Case("schema/", sync_views="loop"),
    "schema as JSON": Case("schema/?format=json", sync_views="loop"),
    "no such path": Case("nothing/"),
}
CASES["created from a form"].content_type = FORM
FLAVOURS = {"stock": "tests.drf.plain", "moved": "tests.drf.moved"}


@pytest.fixture
def begin():
    """Return a function that makes the rows anew, with the same keys."""

    def make() -> None:
        from django.apps import apps

        tables = ", ".join(
            f'"{model._meta.db_table}"'
            for model in apps.get_models(include_auto_created=True)
            if model._meta.app_label in {"testapp", "sessions", "authtoken"}
        )
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables}, auth_user RESTART IDENTITY CASCADE")
        cache.clear()
        ContentType.objects.get_for_models(Article, Plain)
        fill()
        Token.objects.create(key="0123456789", user=User.objects.create_user("ada", "", "s3cret"))
        connection.close()

    return make


def prepared(client: Any, case: Case) -> Any:
    client.raise_request_exception = False
    if case.login:
        client.force_login(User.objects.get(username="ada"))
        connection.close()
    return client


def arguments(case: Case) -> dict[str, Any]:
    keywords: dict[str, Any] = {"headers": case.headers}
    if case.data is not None:
        text = case.data if isinstance(case.data, str) else json.dumps(case.data)
        keywords |= {"data": text, "content_type": case.content_type}
    return keywords


def synchronous(cases: Collection[Case]) -> list[Any]:
    found = []
    with override_settings(ROOT_URLCONF="tests.drf.plain", ALLOWED_HOSTS=["testserver"]):
        for case in cases:
            cache.clear()
            client = prepared(Client(enforce_csrf_checks=True), case)
            for _ in range(case.times):
                response = getattr(client, case.method)(f"/{case.path}", **arguments(case))
            found.append((summary(response), rows()))
    connection.close()
    return found


def asynchronous(cases: Collection[Case]) -> list[Any]:
    clients = [prepared(AsyncClient(enforce_csrf_checks=True), case) for case in cases]

    async def ask(case: Case, client: Any) -> Any:
        ours = {**settings.TURBO_ORM, "SYNC_VIEWS": case.sync_views}
        cache.clear()
        with override_settings(TURBO_ORM=ours):
            for _ in range(case.times):
                response = await getattr(client, case.method)(f"/{case.path}", **arguments(case))
        return summary(response), await run_sync(rows)

    async def ask_all() -> list[Any]:
        try:
            return [await ask(*pair) for pair in zip(cases, clients, strict=True)]
        finally:
            await close_pools()

    with override_settings(ROOT_URLCONF="tests.drf.moved", ALLOWED_HOSTS=["testserver"]):
        return asyncio.run(ask_all())


SECRET = re.compile(r'(csrfToken": "|csrfmiddlewaretoken" value="|name="csrf-token" content=")\w+')


def summary(response: Any) -> Any:
    """Return everything that a client sees, but for what is made by chance."""
    cookies = {
        name: value.OutputString()
        for name, value in response.cookies.items()
        if name not in {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    }
    headers = {name: value for name, value in response.headers.items() if name != "Expires"}
    return response.status_code, headers, cookies, SECRET.sub("", response.content.decode())


def rows() -> Any:
    articles = Article.objects.values_list("pk", "title", "author__name", "tags__name")
    return sorted(articles, key=str), sorted(Tag.objects.values_list("pk", "name"))


def is_read(case: Case) -> bool:
    return case.method in {"get", "head", "options"}


def needs_thread(case: Case) -> bool:
    """Tell whether a password is checked, which takes too long for a loop, or no view is found."""
    has_password = case.headers.get("Authorization", "").startswith("Basic YWR")
    return has_password or case is CASES["no such path"]


# Rows are made once for all that only read them.
READS: dict[str, dict[str, Case]] = {"articles": {}, "others": {}}
WRITES: dict[str, Case] = {}
for name, case in CASES.items():
    if not is_read(case):
        WRITES[name] = case
    elif not needs_thread(case):
        READS["articles" if case.path.startswith("articles") else "others"][name] = case


@pytest.mark.parametrize("endpoints", READS)
def test_what_reads_is_answered_as_by_stock_drf(endpoints, begin):
    cases = READS[endpoints]
    begin()
    expected = dict(zip(cases, synchronous(cases.values()), strict=True))

    assert dict(zip(cases, asynchronous(cases.values()), strict=True)) == expected


def test_what_writes_is_answered_as_by_stock_drf_and_leaves_the_same_rows(begin):
    begin()
    expected = dict(zip(WRITES, synchronous(WRITES.values()), strict=True))
    begin()

    assert dict(zip(WRITES, asynchronous(WRITES.values()), strict=True)) == expected
    assert {status for (status, *_), _ in expected.values()} >= {200, 201, 204, 400, 404, 405, 415}


@pytest.mark.needs_thread("a password is hashed, no view is found")
def test_what_runs_in_threads_is_answered_as_by_stock_drf(begin):
    cases = [case for case in CASES.values() if needs_thread(case)]
    begin()
    expected = synchronous(cases)

    assert [status for (status, *_), _ in expected] == [200, 401, 404]
    assert asynchronous(cases) == expected


def test_the_cases_reach_every_kind_of_answer(begin):
    begin()
    statuses = [status for (status, *_), _ in synchronous(READS["others"].values())]

    assert {200, 401, 403, 404, 418, 429, 500} <= set(statuses)
    assert statuses.count(500) == 1


def test_the_cases_reach_more_than_thirty_endpoints():
    reached = set()
    for case in CASES.values():
        path = f"/{case.path}".partition("?")[0]
        with contextlib.suppress(Resolver404):
            reached.add((resolve(path, "tests.drf.moved").route, case.method))

    assert len(reached) >= 40


def test_only_the_import_lines_were_changed():
    from tests.drf import moved

    old = moved.PLAIN.read_text(encoding="utf-8").splitlines()
    new = moved.SOURCE.splitlines()
    changed = [line for line, other in zip(old, new, strict=True) if line != other]

    assert len(old) > 200
    assert changed == [line for line in old if line.startswith("from rest_framework")]


def test_the_moved_views_are_coroutine_functions():
    from tests.drf import moved, plain

    views = {
        pattern.callback
        for patterns in (moved.router.urls, moved.urlpatterns)
        for pattern in patterns
        if getattr(pattern, "callback", None)
    }
    ours = {view for view in views if iscoroutinefunction(view)}

    assert {view.cls.__name__ for view in views - ours} == {"SpectacularAPIView"}
    assert not iscoroutinefunction(plain.first_tag)
    assert Author.objects.count() == 0
