"""What an asynchronous operation may return, and how many queries that takes."""

import contextlib

import pytest
from django.db import connection
from ninja.testing import TestAsyncClient

from tests.ninja import schemas
from tests.testapp.models import Article, Author, Comment, Profile, Tag
from turbo_orm_ninja import TurboNinjaAPI


async def fill(start=0, end=3):
    tags = [(await Tag.objects.aget_or_create(name=f"tag{n}"))[0] for n in range(3)]
    for number in range(start, end):
        author = await Author.objects.acreate(name=f"author{number}", age=number)
        await Profile.objects.acreate(author=author, bio=f"bio{number}")
        article = await Article.objects.acreate(
            title=f"title{number}", author=author, metadata={"n": number}
        )
        await article.tags.aset(tags)
        await Comment.objects.acreate(text=f"text{number}", content_object=article)


@contextlib.contextmanager
def counted():
    statements = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements


@pytest.fixture
def api():
    return TurboNinjaAPI()


async def test_a_three_level_schema_takes_as_many_queries_for_many_rows_as_for_one(api):
    @api.get("/articles", response=list[schemas.ArticleDeep])
    async def articles(request):
        return Article.objects.all()

    await fill(0, 1)
    await TestAsyncClient(api).get("/articles")
    with counted() as for_one:
        await TestAsyncClient(api).get("/articles")
    await fill(1, 9)
    with counted() as for_many:
        response = await TestAsyncClient(api).get("/articles")

    assert response.status_code == 200
    assert len(response.json()) == 9
    assert response.json()[0] == {
        "title": "title0",
        "author": {"id": 1, "name": "author0", "profile": {"bio": "bio0"}},
        "editor": None,
        "tags": [
            {"name": f"tag{n}", "articles": [{"title": f"title{m}"} for m in range(9)]}
            for n in range(3)
        ],
        "comments": [{"text": "text0"}],
    }
    assert (len(for_one), len(for_many)) == (4, 4)
