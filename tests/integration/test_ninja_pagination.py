"""Pages and counts of asynchronous operations."""

import pytest
from django.db.models.expressions import RawSQL
from ninja.responses import Status
from ninja.testing import TestAsyncClient, TestClient

from ninja import Field, NinjaAPI, Schema
from ninja import pagination as ninjas
from tests.ninja import schemas
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author, Plain
from tests.usage import most_in_use
from tests.waiting import until
from turbo_orm import pool_stats, run_sync
from turbo_orm_ninja import TurboNinjaAPI, atomic_operation, optimize
from turbo_orm_ninja.pagination import (
    AsyncPaginationBase,
    CursorPagination,
    LimitOffsetPagination,
    PageNumberPagination,
    RouterPaginated,
    paginate,
)


def api_of(decorator, *others, schema=schemas.ArticleOut, make=None):
    api = TurboNinjaAPI()

    async def articles(request):
        return Article.objects.all() if make is None else make()

    for other in others:
        articles = other(articles)
    api.get("/articles", response=list[schema])(decorator(articles))
    return TestAsyncClient(api)


PAGINATORS = {
    "limit and offset": (paginate(LimitOffsetPagination), "limit=2&offset=2"),
    "pages": (paginate(PageNumberPagination, page_size=2), "page=2"),
    "the default": (paginate, "limit=2&offset=2"),
    "the default, called": (paginate(), "limit=2&offset=2"),
    "Ninja's own class": (paginate(ninjas.LimitOffsetPagination), "limit=2&offset=2"),
    "Ninja's own decorator": (ninjas.paginate(ninjas.LimitOffsetPagination), "limit=2&offset=2"),
}


@pytest.mark.parametrize("kind", PAGINATORS)
async def test_a_page_has_its_rows_and_everything_around_them(kind):
    decorator, query = PAGINATORS[kind]
    await fill(0, 5)
    client = api_of(decorator)

    response = await client.get(f"/articles?{query}")

    assert response.status_code == 200
    assert response.json()["count"] == 5
    assert response.json()["items"] == [
        {
            "id": number + 1,
            "title": f"title{number}",
            "author": {"id": number + 1, "name": f"author{number}"},
            "tags": [{"name": f"tag{n}"} for n in range(3)],
        }
        for number in (2, 3)
    ]


@pytest.mark.parametrize("kind", PAGINATORS)
async def test_a_page_takes_as_many_queries_for_many_rows_as_for_one(kind):
    decorator, query = PAGINATORS[kind]
    client = api_of(decorator)
    await fill(0, 3)
    with counted() as for_one:
        await client.get(f"/articles?{query}")
    await fill(3, 6)
    with counted() as for_many:
        await client.get(f"/articles?{query}")

    # The rows, their tags, the count; Ninja's decorator shows the rows only when they are there.
    assert len(for_one) == len(for_many) == (4 if kind == "Ninja's own decorator" else 3)


async def test_a_page_is_not_optimised_where_the_operation_says_so():
    await fill(0, 3)

    with counted() as statements:
        response = await api_of(paginate, optimize(False)).get("/articles")

    assert len(response.json()["items"]) == 3
    assert len(statements) == 2 + 3 * 2


async def test_a_cursor_gives_every_row_once():
    await fill(0, 5)
    client = api_of(
        paginate(CursorPagination, ordering=("-views", "pk"), page_size=2), schema=schemas.Title
    )

    seen, query = [], ""
    while True:
        with counted() as statements:
            page = (await client.get(f"/articles{query}")).json()
        seen.append([row["title"] for row in page["results"]])
        assert len(statements) == 1
        if page["next"] is None:
            break
        query = "?" + page["next"].partition("?")[2]

    assert seen == [["title0", "title1"], ["title2", "title3"], ["title4"]]


async def test_lists_statuses_managers_and_plain_querysets_have_pages():
    await run_sync(Plain.objects.create, name="plain")
    await fill(0, 3)
    api = TurboNinjaAPI()

    @api.get("/list", response=list[schemas.Title])
    @paginate
    async def of_list(request):
        return await Article.objects.all().alist()

    @api.get("/status", response={201: list[schemas.Title]})
    @paginate
    async def of_status(request):
        return Status(201, Article.objects.all())

    @api.get("/manager", response=list[schemas.Title])
    @paginate
    async def of_manager(request):
        return (await Author.objects.aget(pk=1)).articles

    @api.get("/plain", response=list[schemas.TagOut])
    @paginate
    async def of_plain(request):
        return Plain.objects.all()

    client = TestAsyncClient(api)
    answers = {}
    for name in ("list", "status", "manager", "plain"):
        answer = await client.get(f"/{name}?limit=1")
        answers[name] = (answer.status_code, answer.json())

    title = {"title": "title0"}
    assert answers == {
        "list": (200, {"items": [title], "count": 3}),
        "status": (201, {"items": [title], "count": 3}),
        "manager": (200, {"items": [title], "count": 1}),
        "plain": (200, {"items": [{"name": "plain"}], "count": 1}),
    }


@pytest.mark.parametrize("paginator", [LimitOffsetPagination, PageNumberPagination])
async def test_a_count_may_be_left_out_or_capped(paginator):
    await fill(0, 4)

    uncounted = api_of(paginate(paginator, count=False), schema=schemas.Title)
    capped = api_of(paginate(paginator, count=2), schema=schemas.Title)
    wide = api_of(paginate(paginator, count=10), schema=schemas.Title)
    with counted() as statements:
        without = (await uncounted.get("/articles")).json()

    titles = [{"title": f"title{n}"} for n in range(4)]
    assert (without, len(statements)) == ({"items": titles}, 1)
    assert (await capped.get("/articles")).json() == {"items": titles, "count": 2}
    assert (await wide.get("/articles")).json() == {"items": titles, "count": 4}


async def test_lists_are_counted_the_same_way():
    async def ask(count):
        client = api_of(
            paginate(LimitOffsetPagination, count=count),
            schema=schemas.Title,
            make=lambda: [{"title": "a"}, {"title": "b"}],
        )
        return (await client.get("/articles?limit=1")).json()

    one = [{"title": "a"}]
    assert [await ask(count) for count in (True, 1, False)] == [
        {"items": one, "count": 2},
        {"items": one, "count": 1},
        {"items": one},
    ]


async def slowed(decorators=()):
    """Return the most connections that were busy while a page took 0.2 seconds to select."""

    def make():
        return Article.objects.annotate(slow=RawSQL("pg_sleep(0.1)::text", ())).filter(
            slow__isnull=False
        )

    client = api_of(paginate, *decorators, schema=schemas.Title, make=make)
    await fill(0, 2)
    await client.get("/articles")
    await until(lambda: pool_stats().in_use == 0)
    most, [response] = await most_in_use(client.get("/articles"))
    assert response.json()["count"] == 2
    return most


async def test_rows_are_counted_while_the_page_is_fetched():
    assert await slowed() == 2


async def test_in_a_transaction_rows_are_counted_after_the_page():
    assert await slowed([atomic_operation()]) == 1


async def test_a_page_that_fails_leaves_no_count_behind(at_rest):
    client = api_of(paginate, make=lambda: Article.objects.extra(where=["1/0 = 1"]))

    with pytest.raises(Exception, match="division by zero"):
        await client.get("/articles")


async def test_a_router_may_paginate_every_operation():
    await fill(0, 3)
    api, router = TurboNinjaAPI(), RouterPaginated()

    @router.get("/articles", response=list[schemas.ArticleOut])
    async def articles(request):
        return Article.objects.all()

    @router.get("/own", response=list[schemas.Title])
    @paginate(PageNumberPagination, page_size=1)
    async def own(request):
        return Article.objects.all()

    @router.get("/one", response=schemas.Title)
    async def one(request):
        return await Article.objects.aget(pk=1)

    api.add_router("", router)
    client = TestAsyncClient(api)
    with counted() as statements:
        page = (await client.get("/articles?limit=2")).json()

    assert ([row["title"] for row in page["items"]], page["count"]) == (["title0", "title1"], 3)
    assert len(statements) == 3
    assert (await client.get("/own?page=3")).json() == {"items": [{"title": "title2"}], "count": 3}
    assert (await client.get("/one")).json() == {"title": "title0"}


async def test_a_router_paginates_in_a_stock_api_too():
    await fill(0, 2)
    api, router = NinjaAPI(), RouterPaginated()

    @router.get("/articles", response=list[schemas.ArticleOut])
    async def articles(request):
        return Article.objects.all()

    api.add_router("", router)
    page = (await TestAsyncClient(api).get("/articles")).json()

    assert (len(page["items"]), page["count"]) == (2, 2)


class Own(AsyncPaginationBase):
    """A project's own: pages by letter, rows under a name of its own."""

    items_attribute = "found"

    class Input(Schema):
        starts: str = Field("t")

    class Output(Schema):
        found: list
        letter: str

    def paginate_queryset(self, queryset, pagination, request, **params):
        raise NotImplementedError

    async def apaginate_queryset(self, queryset, pagination, request, **params):
        rows = queryset.filter(title__startswith=pagination.starts)
        return {"found": [row async for row in rows], "letter": pagination.starts}


class Bare(Own):
    """Without a response of its own."""

    Output = None

    async def apaginate_queryset(self, queryset, pagination, request, **params):
        return queryset.filter(title__startswith=pagination.starts)


@pytest.mark.parametrize("paginator", [Own, Bare])
async def test_a_paginator_of_the_projects_own_is_given_an_optimised_queryset(paginator):
    await fill(0, 3)

    with counted() as statements:
        response = await api_of(paginate(paginator)).get("/articles?starts=title")

    body = response.json()
    rows = body if paginator is Bare else body["found"]
    assert [row["author"]["name"] for row in rows] == ["author0", "author1", "author2"]
    assert len(statements) == 2
    assert '"metadata"' not in statements[0]


async def test_synchronous_operations_have_ninjas_pages():
    api = TurboNinjaAPI()

    @api.get("/articles", response=list[schemas.Title])
    @paginate(LimitOffsetPagination)
    def articles(request):
        return [{"title": "a"}, {"title": "b"}]

    assert TestClient(api).get("/articles?limit=1").json() == {
        "items": [{"title": "a"}],
        "count": 2,
    }


FUTURE = """
from __future__ import annotations

from ninja import Query

from tests.ninja.common import ArticleFilter
from tests.testapp.models import Article


async def articles(request, filters: Query[ArticleFilter], number: int = 0):
    return filters.filter(Article.objects.all())
"""


async def test_annotations_that_are_text_are_found_in_the_operations_own_module():
    await fill(0, 3)
    module = {"__name__": "written_elsewhere"}
    exec(compile(FUTURE, "written_elsewhere", "exec"), module)
    api = TurboNinjaAPI()
    api.get("/articles", response=list[schemas.Title])(paginate(module["articles"]))

    response = await TestAsyncClient(api).get("/articles?author=author1")

    assert response.json() == {"items": [{"title": "title1"}], "count": 1}
