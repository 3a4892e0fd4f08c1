"""Parameters that order and search, by fields that are allowed."""

import pytest
from ninja.testing import TestAsyncClient

from ninja import Query
from tests.ninja import schemas
from tests.ninja.helpers import fill
from tests.testapp.models import Article
from turbo_orm_ninja import TurboNinjaAPI
from turbo_orm_ninja.filters import ordering, search

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def client():
    api = TurboNinjaAPI()

    @api.get("/articles", response=list[schemas.Title])
    async def articles(
        request,
        order: Query[ordering("title", "author__age", default="-author__age")],
        words: Query[search("title", "author__name__iexact")],
    ):
        return words.filter(order.sort(Article.objects.all()))

    await fill(0, 3)
    return TestAsyncClient(api)


ORDERS = {
    "": [2, 1, 0],
    "order_by=": [2, 1, 0],
    "order_by=title": [0, 1, 2],
    "order_by=-title": [2, 1, 0],
    "order_by=author__age,-title": [0, 1, 2],
    "search=TITLE1": [1],
    "search=author2": [2],
    "search=title author1": [1],
    "search=author": [],
    "search=": [2, 1, 0],
    "search=title&order_by=title": [0, 1, 2],
}


@pytest.mark.parametrize("query", ORDERS)
async def test_rows_come_as_asked_for(client, query):
    response = await client.get(f"/articles?{query}")

    assert response.json() == [{"title": f"title{number}"} for number in ORDERS[query]]


@pytest.mark.parametrize("name", ["metadata", "author__name", "title,pk", "--title", "pk"])
async def test_other_fields_are_refused(client, name):
    response = await client.get(f"/articles?order_by={name}")

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "order_by"]
    assert "is not one of title, author__age" in response.json()["detail"][0]["msg"]


def test_a_search_needs_fields():
    with pytest.raises(ValueError, match="names of the fields"):
        search()


def test_without_a_default_the_order_stays():
    queryset = Article.objects.order_by("-pk")

    assert ordering("title")().sort(queryset) is queryset
