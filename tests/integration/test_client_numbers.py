"""Every number that a client can send is answered as the stock framework answers it.

The stock framework runs synchronously in the same process, over the same rows.
"""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings

from tests.drf.rows import fill
from tests.testapp.models import Article, Author, Plain, Tag
from tests.thorough import THOROUGH
from turbo_orm import close_pools
from turbo_orm.test import AsyncClient

FEW = (
    *("0", "1", "-1", "+1", "1_000", " 1", "٣", "1.0", "1.5", "1e3", "NaN", "-Infinity", "", "x"),
    *(str(2**31), str(2**63 - 1), str(2**63), str(-(2**63) - 1), "9" * 20, "9" * 23, str(10**30)),
    # More digits than Python converts.
    "9" * 4301,
)
MORE = (
    *("-0", "2", "-2", "+ 1", "1 ", "1\t", "\u00a01", "01", "0x10", "0b1", "1,0", "1,2"),
    # Digits and minus signs of other writing systems, and what is a digit but no decimal one.
    *("१", "1٣", "\uff11", "²", "①", "\u22121"),
    *("-1.0", "1e0", "1E400", ".5", "5.", "nan", "inf", "Infinity", " ", "null", "None", "true"),
    *(str(2**15), str(2**31 - 1), str(-(2**31)), str(-(2**31) - 1), str(2**53 + 1)),
    *(str(-(2**63)), str(2**64), str(-(10**30)), "1" + "0" * 400, "9" * 4300, "0" * 5000 + "1"),
    *("last", "1\x00", "1'", "1;", "1--", "%31", "1/2", "[1]", '{"a":1}'),
)
VALUES = (*FEW, *(MORE if THOROUGH else ()))
# What a JSON document may have in the place of a number.
LITERALS = (
    *("0", "-0", "1", "-1", "1.0", "1.5", "1e0", "1e3", "1E400", "-1E400", "NaN", "Infinity"),
    *("-Infinity", str(2**31), str(-(2**31) - 1), str(2**63 - 1), str(2**63), str(-(2**63) - 1)),
    *(str(10**30), "9" * 4300, "9" * 4301, "true", "null", "[]", "{}", "[1]", '""', "01", "+1"),
    *(json.dumps(value) for value in ("1", " 1 ", "٣", "1.0", "1_000", str(2**63), "x", "1\x00")),
)


def cursor(template: str) -> Any:
    def encode(value: str) -> str:
        return quote(base64.b64encode(template.format(quote(value)).encode()))

    return encode


def encoded(value: str) -> str:
    return quote(value, safe="")


# What comes before the value, and how the value is written there.
DRF = {
    "page": ("articles/?page=", encoded),
    "page size": ("articles/?size=", encoded),
    "page of a size": ("articles/?size=1&page=", encoded),
    "limit": ("authors/?limit=", encoded),
    "offset": ("authors/?offset=", encoded),
    "limit of an offset": ("authors/?offset=1&limit=", encoded),
    "position of a cursor": ("cursor/?cursor=", cursor("p={}")),
    "offset of a cursor": ("cursor/?cursor=", cursor("o={}&p=10")),
    "offset back": ("cursor/?cursor=", cursor("r=1&o={}&p=10")),
    "direction of a cursor": ("cursor/?cursor=", cursor("r={}&p=10")),
    "number filter": ("articles/?least=", encoded),
    "key filter": ("articles/?tags=", encoded),
    "boolean filter": ("articles/?is_published=", encoded),
    "key": ("articles/", lambda value: f"{encoded(value)}/"),
    "key of a converter": ("guarded/", lambda value: f"{encoded(value)}/"),
    "search": ("articles/?search=", encoded),
    "version": ("versioned/?version=", encoded),
}
NINJA = {
    "limit": ("limit?limit=", encoded),
    "offset": ("limit?offset=", encoded),
    "limit of an offset": ("limit?offset=1&limit=", encoded),
    "limit of a list": ("limit-list?limit=", encoded),
    "offset of a list": ("limit-list?offset=", encoded),
    "page": ("numbered?page=", encoded),
    "page size": ("numbered?page_size=", encoded),
    "page of a size": ("numbered?page_size=1&page=", encoded),
    "position of a cursor": ("cursor?cursor=", cursor("p={}")),
    "cursor of two": ("cursor?cursor=", cursor("o={}&p=30")),
    "direction of a cursor": ("cursor?cursor=", cursor("r={}&p=30")),
    "cursor as it is": ("cursor?cursor=", encoded),
    "size of a cursor": ("cursor?page_size=", encoded),
    "key": ("one/", encoded),
    "key that raises": ("get/", encoded),
    "boolean filter": ("filtered?is_published=", encoded),
    "text filter": ("filtered?author=", encoded),
}
DRF_BODIES = {
    "integer field": ("articles/", '{"title": "t", "author_id": 1, "tags": [], "views": %s}'),
    "key field": ("articles/", '{"title": "t", "author_id": %s, "tags": []}'),
    "key or none": ("articles/", '{"title": "t", "author_id": 1, "tags": [], "editor": %s}'),
    "slug field": ("articles/", '{"title": "t", "author_id": 1, "tags": [%s]}'),
    "document": ("articles/", '{"title": "t", "author_id": 1, "tags": [], "metadata": {"a": %s}}'),
}
NINJA_BODIES = {
    "integer": ("articles", '{"title": "long", "author_id": %s}'),
    "text": ("articles", '{"title": %s, "author_id": 1}'),
    "list": ("articles", '{"title": "long", "author_id": 1, "tags": [%s]}'),
}


def empty() -> None:
    from django.apps import apps

    tables = ", ".join(
        f'"{model._meta.db_table}"'
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label == "testapp"
    )
    with connection.cursor() as cursor_:
        cursor_.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    cache.clear()
    ContentType.objects.get_for_models(Article, Plain)
    fill()
    # Cursors page through views: those of two rows are the same.
    assert Author.objects.count() == Article.objects.count() == 5
    connection.close()


class UnicodeClient(AsyncClient):
    """Sends a path as a server does; Django's own sends the bytes of UTF-8 as Latin-1."""

    def _get_path(self, parsed: Any) -> str:
        return unquote(parsed.path)


def summary(response: Any) -> tuple[int, str]:
    text = response.content.decode().replace("/ours/", "/stock/")
    return response.status_code, text


def rows() -> Any:
    columns = ("title", "author_id", "editor_id", "views", "metadata__a")
    articles = sorted(Article.objects.values_list(*columns), key=str)
    return articles, sorted(Tag.objects.values_list("name"))


def of_stock(urls: str, requests: list[tuple[str, Any]]) -> list[Any]:
    client = Client(raise_request_exception=False)
    with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
        found = [summary(ask(client, path, body)) for path, body in requests]
    connection.close()
    return found


def of_ours(urls: str, requests: list[tuple[str, Any]]) -> list[Any]:
    client = UnicodeClient(raise_request_exception=False)

    async def ask_all() -> list[Any]:
        try:
            return [summary(await ask(client, path, body)) for path, body in requests]
        finally:
            await close_pools()

    with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
        return asyncio.run(ask_all())


def ask(client: Any, path: str, body: str | None) -> Any:
    if body is None:
        return client.get(path)
    return client.post(path, data=body, content_type="application/json")


def differences(stock: Any, ours: Any, requests: list[tuple[str, Any]]) -> dict[Any, Any]:
    return {
        (path[:80], body and body[:80]): (expected, found)
        for (path, body), expected, found in zip(requests, stock, ours, strict=True)
        if expected != found
    }


# Where some values are the address of no view, which Django finds out in a thread.
NO_VIEW = {"key", "key that raises", "key of a converter"}
PLACES = [
    pytest.param("keys", marks=pytest.mark.needs_thread("no view is found")),
    pytest.param("others"),
]


def addresses(where: dict[str, Any], kind: str) -> list[str]:
    """Return the addresses to ask for: those with a key in the path, or all others."""
    return [
        before + written(value)
        for name, (before, written) in where.items()
        for value in VALUES
        if (name in NO_VIEW) == (kind == "keys")
    ]


def bodies(where: dict[str, Any]) -> list[tuple[str, str]]:
    return [(path, body % literal) for path, body in where.values() for literal in LITERALS]


@pytest.mark.parametrize("kind", PLACES)
def test_a_number_in_an_address_is_answered_as_by_stock_drf(kind):
    requests = [(f"/{path}", None) for path in addresses(DRF, kind)]
    empty()
    stock = of_stock("tests.drf.plain", requests)
    ours = of_ours("tests.drf.moved", requests)

    assert differences(stock, ours, requests) == {}
    assert {status for status, _ in stock} >= {200, 404}


@pytest.mark.parametrize("kind", PLACES)
def test_a_number_in_an_address_is_answered_as_by_stock_ninja(kind):
    paths = [(path, None) for path in addresses(NINJA, kind)]
    empty()
    stock = of_stock("tests.ninja.urls", [(f"/stock/{path}", None) for path, _ in paths])
    ours = of_ours("tests.ninja.urls", [(f"/ours/{path}", None) for path, _ in paths])

    assert differences(stock, ours, paths) == {}
    assert {status for status, _ in stock} >= {200, 422}


def test_a_number_in_a_body_is_answered_as_by_stock_drf_and_leaves_the_same_rows():
    requests = [(f"/{path}", body) for path, body in bodies(DRF_BODIES)]
    empty()
    stock, left = of_stock("tests.drf.plain", requests), rows()
    empty()
    ours = of_ours("tests.drf.moved", requests)

    assert differences(stock, ours, requests) == {}
    assert rows() == left


def test_a_number_in_a_body_is_answered_as_by_stock_ninja_and_leaves_the_same_rows():
    requests = bodies(NINJA_BODIES)
    empty()
    stock = of_stock("tests.ninja.urls", [(f"/stock/{path}", body) for path, body in requests])
    left = rows()
    empty()
    ours = of_ours("tests.ninja.urls", [(f"/ours/{path}", body) for path, body in requests])

    assert differences(stock, ours, requests) == {}
    assert rows() == left
