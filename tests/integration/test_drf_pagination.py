"""Pages: counted while they are fetched, up to a number, or not at all."""

import asyncio

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test import override_settings
from django.urls import path
from rest_framework import pagination as drfs
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from tests.ninja.helpers import counted
from tests.testapp.models import Tag
from turbo_orm import atomic, run_sync
from turbo_orm_drf import generics, pagination, serializers
from turbo_orm_drf.test import AsyncAPIClient, AsyncAPIRequestFactory

pytestmark = pytest.mark.rolled_back


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["name"]


class Tags(generics.ListAPIView):
    queryset = Tag.objects.order_by("name")
    serializer_class = TagSerializer


class Numbered(pagination.PageNumberPagination):
    page_size = 3


class Sliced(pagination.LimitOffsetPagination):
    default_limit = 3


@pytest.fixture(autouse=True)
def host():
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


@pytest.fixture
async def tags():
    await Tag.objects.abulk_create([Tag(name=f"t{n}") for n in range(7)])


async def ask(paginator, query="", accept="application/json", **attributes):
    kind = type("Pages", (paginator,), attributes) if attributes else paginator
    urls = (path("x/", Tags.as_view(pagination_class=kind)),)
    with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
        return await AsyncAPIClient().get(f"/x/{query}", HTTP_ACCEPT=accept)


def names(answer):
    return [tag["name"] for tag in answer.json()["results"]]


def sleeping(execute, sql, params, many, context):
    """Let the count, and nothing else, take a while."""
    if "COUNT" in sql:
        with context["connection"].connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
    order.append("count" if "COUNT" in sql else "rows")
    return execute(sql, params, many, context)


order: list[str] = []


@pytest.mark.commits
@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_rows_are_fetched_while_they_are_counted_where_that_is_asked_for(paginator, tags):
    order.clear()
    with connection.execute_wrapper(sleeping):
        answer = await ask(paginator, counts_beside_page=True)

    assert (answer.json()["count"], names(answer)) == (7, ["t0", "t1", "t2"])
    assert order == ["rows", "count"]


@pytest.mark.commits
@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_else_rows_are_counted_first_as_by_drf(paginator, tags):
    order.clear()
    with connection.execute_wrapper(sleeping):
        answer = await ask(paginator)

    assert (answer.json()["count"], names(answer)) == (7, ["t0", "t1", "t2"])
    assert order == ["count", "rows"]


@pytest.mark.commits
@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_no_page_is_asked_for_that_the_count_rules_out(paginator):
    order.clear()
    with connection.execute_wrapper(sleeping):
        answer = await ask(paginator)

    assert (answer.json()["count"], names(answer), order) == (0, [], ["count"])


@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_in_a_transaction_one_follows_the_other(paginator, tags):
    order.clear()
    async with atomic():
        with connection.execute_wrapper(sleeping):
            answer = await ask(paginator, counts_beside_page=True)

    assert (answer.json()["count"], order) == (7, ["count", "rows"])


@pytest.mark.commits
async def test_a_paginator_of_drfs_own_that_the_settings_name_is_awaitable(tags):
    class Named(generics.ListAPIView):
        queryset = Tag.objects.order_by("name")
        serializer_class = TagSerializer
        pagination_class = drfs.LimitOffsetPagination

        async def list(self, request, *args, **kwargs):
            await self.paginator.apaginate_queryset(self.get_queryset(), request)
            return self.paginator.get_paginated_response([])

    urls = (path("x/", Named.as_view()),)
    with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
        answer = await AsyncAPIClient().get("/x/?limit=2")

    assert answer.json()["count"] == 7


@pytest.mark.commits
@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_what_fails_while_rows_are_counted_fails_the_request(paginator, tags):
    def failing(execute, sql, *rest):
        if "COUNT" in sql:
            raise LookupError("counting")
        return execute(sql, *rest)

    with connection.execute_wrapper(failing), pytest.raises(LookupError, match="counting"):
        await ask(paginator, counts_beside_page=True)


@pytest.mark.commits
@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_the_count_ends_with_the_rows_that_fail(paginator, tags, at_rest):
    def failing(execute, sql, params, many, context):
        if "COUNT" in sql:
            with context["connection"].connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(600)")
        else:
            raise LookupError("fetching")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(failing), pytest.raises(LookupError, match="fetching"):
        await ask(paginator, counts_beside_page=True)

    running = {task.get_coro().__name__ for task in asyncio.all_tasks()}
    assert "run_sync" not in running


@pytest.mark.parametrize(
    ("paginator", "queries", "links"),
    [
        (Numbered, ["", "?page=2", "?page=3"], ["?page=2", "?page=3"]),
        (Sliced, ["", "?offset=3", "?offset=6"], ["?limit=3&offset=3", "?limit=3&offset=6"]),
    ],
)
async def test_uncounted_pages_know_the_next_by_one_more_row(paginator, queries, links, tags):
    with counted() as statements:
        answers = [await ask(paginator, query, counted=False) for query in queries]

    assert len(statements) == 3
    assert [names(answer) for answer in answers] == [
        ["t0", "t1", "t2"],
        ["t3", "t4", "t5"],
        ["t6"],
    ]
    expected = [f"http://testserver/x/{link}" for link in links]
    assert [answer.json()["next"] for answer in answers] == [*expected, None]
    assert [set(answer.json()) for answer in answers] == [{"next", "previous", "results"}] * 3


async def test_uncounted_pages_end_and_have_no_last(tags):
    beyond = await ask(Numbered, "?page=4", counted=False)
    last = await ask(Numbered, "?page=last", counted=False)
    sliced = await ask(Sliced, "?offset=40", counted=False)

    assert [answer.status_code for answer in (beyond, last, sliced)] == [404, 404, 200]
    assert last.json()["detail"] == "Invalid page."
    assert names(sliced) == []


@pytest.mark.parametrize(("limit", "count"), [(5, 5), (7, 7), (100, 7)])
@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_counting_may_end_at_a_number(paginator, limit, count, tags):
    with counted() as statements:
        answer = await ask(paginator, counted=limit)

    assert (answer.json()["count"], names(answer)) == (count, ["t0", "t1", "t2"])
    [counting] = [statement for statement in statements if "COUNT" in statement]
    assert f"LIMIT {limit}" in counting or "LIMIT %s" in counting


@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_the_browsable_api_shows_pages_that_nobody_counts(paginator, tags):
    answer = await ask(paginator, accept="text/html", counted=False)

    html = answer.content.decode()
    assert "t2" in html
    assert 'aria-label="Next"' in html or "&raquo;" in html


async def test_a_schema_of_uncounted_pages_has_no_count():
    kind = type("Uncounted", (Numbered,), {"counted": False})
    schema = {"type": "array"}
    counted_schema = Numbered().get_paginated_response_schema(schema)

    described = kind().get_paginated_response_schema(schema)

    del counted_schema["properties"]["count"]
    assert described["properties"] == counted_schema["properties"]
    assert described["required"] == ["results"]


@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_nothing_is_fetched_where_nothing_was_counted(paginator):
    with counted() as statements:
        answer = await ask(paginator, counts_beside_page=True)

    assert (answer.json()["count"], names(answer), len(statements)) == (0, [], 1)


async def test_a_paginator_of_djangos_that_a_project_names_stays(tags):
    class Fixed(Paginator):
        count = 5

    answer = await ask(Numbered, "?page=2", django_paginator_class=Fixed)

    assert (answer.json()["count"], names(answer)) == (5, ["t3", "t4"])


@pytest.mark.parametrize("paginator", [Numbered, Sliced])
async def test_lists_have_pages_too(paginator):
    def page(query, **attributes):
        kind = type("Pages", (paginator,), attributes)()
        request = Request(AsyncAPIRequestFactory().get(f"/{query}"))
        return kind.apaginate_queryset(list("abcdefg"), request)

    second = "?page=2" if paginator is Numbered else "?offset=3"

    assert await page(second) == ["d", "e", "f"]
    assert await page(second, counted=5) == (
        ["d", "e"] if paginator is Numbered else ["d", "e", "f"]
    )
    assert await page(second, counted=False) == ["d", "e", "f"]


async def test_a_page_is_awaited(tags):
    request = Request(AsyncAPIRequestFactory().get("/?page=3"))
    missing = Request(AsyncAPIRequestFactory().get("/?page=4"))
    none = type("None", (Numbered,), {"page_size": None})()
    cursor = type("Cursor", (pagination.CursorPagination,), {"page_size": 2, "ordering": "-name"})

    assert await Numbered().apaginate_queryset(Tag.objects.order_by("name"), request) == [
        await Tag.objects.aget(name="t6")
    ]
    found = await cursor().apaginate_queryset(Tag.objects.all(), request)
    assert [tag.name for tag in found] == ["t6", "t5"]
    assert await none.apaginate_queryset(Tag.objects.order_by("name"), request) is None
    with pytest.raises(NotFound):
        await Numbered().apaginate_queryset(Tag.objects.order_by("name"), missing)


async def test_pages_are_those_of_drf(tags):
    kinds = (Numbered, drfs.PageNumberPagination), (Sliced, drfs.LimitOffsetPagination)
    queries = ["", "page=2", "page=3", "page=last", "limit=2", "limit=0", "offset=6", "offset=8"]
    for ours, stock in kinds:
        theirs = type("Theirs", (stock,), {"page_size": 3, "default_limit": 3})
        for query in queries:
            request = Request(AsyncAPIRequestFactory().get(f"/?{query}"))
            found = []
            for kind in (ours, theirs):
                paginator = kind()
                rows = Tag.objects.order_by("name")
                page = await run_sync(paginator.paginate_queryset, rows, request)
                found.append((page, paginator.get_paginated_response([]).data))
            assert found[0] == found[1], query


@pytest.mark.parametrize("number", [2**62, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("counted_", [False, 5])
async def test_a_page_that_no_database_can_be_asked_for_is_not_there(number, counted_, tags):
    numbered = await ask(Numbered, f"?page={number}", counted=counted_)
    sliced = await ask(Sliced, f"?offset={number}", counted=counted_)

    assert (numbered.status_code, sliced.status_code, names(sliced)) == (404, 200, [])


@pytest.mark.parametrize("number", [2**62, 2**63 - 1, 2**63, 10**30])
async def test_a_page_that_is_larger_than_any_table_has_all_rows(number, tags):
    numbered = await ask(Numbered, f"?size={number}", page_size_query_param="size")
    uncounted = [
        await ask(Numbered, f"?size={number}", page_size_query_param="size", counted=False),
        await ask(Sliced, f"?limit={number}", counted=False),
    ]

    assert [len(names(answer)) for answer in (numbered, *uncounted)] == [7, 7, 7]
