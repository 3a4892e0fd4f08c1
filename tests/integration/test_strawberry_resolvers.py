"""Resolvers of every kind, synchronous and not, on the event loop."""

import asyncio
from contextvars import ContextVar

import pytest
import strawberry_django
from django.db import connection
from strawberry.extensions import SchemaExtension
from strawberry_django.optimizer import DjangoOptimizerExtension

import strawberry
import turbo_orm_strawberry as turbo
from tests.ninja.helpers import counted, fill
from tests.strawberry import common
from tests.strawberry.common import Article, Author, Tag, data, schema
from tests.testapp import models
from turbo_orm import in_bridge, run_sync
from turbo_orm_strawberry import DataLoader, TurboExtension

pytestmark = pytest.mark.rolled_back

TITLES = [{"title": f"title{n}"} for n in range(3)]
NESTED = "{ title author { name profile { bio } } tags { name } }"


def nested(number):
    return {
        "title": f"title{number}",
        "author": {"name": f"author{number}", "profile": {"bio": f"bio{number}"}},
        "tags": [{"name": f"tag{n}"} for n in range(3)],
    }


@strawberry.type
class Query:
    @strawberry.field
    async def queryset(self) -> list[Article]:
        return models.Article.objects.all()

    @turbo.field
    async def by_field(self) -> list[Article]:
        return models.Article.objects.all()

    @strawberry.field
    async def after_an_await(self) -> list[Article]:
        await asyncio.sleep(0)
        return list(models.Article.objects.filter(author__name__startswith="author"))

    @strawberry.field
    async def one(self) -> Article | None:
        await asyncio.sleep(0)
        return models.Article.objects.get(title="title1")

    @turbo.field
    async def first(self) -> Article | None:
        return models.Article.objects.filter(title="title1")

    @strawberry.field
    async def awaited(self) -> Article | None:
        return await models.Article.objects.aget(title="title1")

    @strawberry.field
    async def nothing(self) -> Article | None:
        await asyncio.sleep(0)
        return None

    @strawberry.field
    async def lazy(self) -> str:
        await asyncio.sleep(0)
        article = models.Article.objects.only("id").get(title="title1")
        return f"{article.title} by {article.author.name}"

    @strawberry.field
    def manager(self) -> list[Article]:
        return models.Article.objects

    @strawberry.field
    def related(self) -> list[Tag]:
        return models.Article.objects.first().tags

    @strawberry.field
    async def together(self) -> list[str]:
        articles = [article async for article in models.Article.objects.order_by("id")]
        return await asyncio.gather(*(run_sync(lambda a=a: a.author.name) for a in articles))

    @strawberry.field
    async def many(self) -> list[Article]:
        async def found():
            for article in models.Article.objects.order_by("id"):
                await asyncio.sleep(0)
                yield article

        return [article async for article in found()]


@pytest.fixture(params=[True, False], ids=["optimizer", "no optimizer"])
def queries(request):
    return schema(Query, optimizer=request.param)


@pytest.mark.parametrize("field", ["queryset", "byField", "afterAnAwait", "manager", "many"])
async def test_a_resolver_may_return_rows_in_any_form(queries, field):
    await fill()

    assert await data(queries, f"{{ {field} {NESTED} }}") == {field: [nested(n) for n in range(3)]}


@pytest.mark.parametrize("field", ["one", "first", "awaited"])
async def test_a_coroutine_may_return_an_object(queries, field):
    await fill()

    assert await data(queries, f"{{ {field} {NESTED} }}") == {field: nested(1)}


async def test_a_coroutine_may_return_nothing_and_query_plainly_after_an_await(queries):
    await fill()

    assert await data(queries, "{ nothing { title } lazy together related { name } }") == {
        "nothing": None,
        "lazy": "title1 by author1",
        "together": [f"author{n}" for n in range(3)],
        "related": [{"name": f"tag{n}"} for n in range(3)],
    }


@pytest.mark.parametrize("field", ["queryset", "byField", "manager"])
async def test_the_optimizer_reads_what_a_coroutine_returns(field):
    await fill()

    with counted() as asked:
        await data(schema(Query), f"{{ {field} {NESTED} }}")

    assert len(asked) == 2


async def test_it_does_not_matter_where_in_the_list_of_extensions_it_is():
    await fill()
    first = strawberry.Schema(Query, extensions=[TurboExtension, DjangoOptimizerExtension])

    with counted() as asked:
        result = await data(first, f"{{ queryset {NESTED} }}")

    assert result == {"queryset": [nested(n) for n in range(3)]}
    assert len(asked) == 2


async def test_what_is_loaded_is_read_without_entering_the_bridge(monkeypatch):
    from turbo_orm_strawberry import extension

    entered = []
    eager = extension.eager
    monkeypatch.setattr(extension, "eager", lambda job: entered.append(job) or eager(job))
    await fill()

    await data(schema(Query), "{ queryset { id title author { id name } } }")

    # For the list itself.
    assert len(entered) == 1


async def test_extensions_and_permissions_of_the_project_may_query():
    seen = []

    class Noting(SchemaExtension):
        def resolve(self, _next, root, info, *args, **kwargs):
            seen.append((info.field_name, models.Article.objects.count(), in_bridge()))
            return _next(root, info, *args, **kwargs)

    await fill()

    await data(schema(Query, extensions=[Noting]), "{ queryset { title } }")

    assert seen == [("queryset", 3, True), *[("title", 3, True)] * 3]


async def test_asynchronous_permissions_may_query_plainly():
    class Permission(strawberry.BasePermission):
        message = "no"

        async def has_permission(self, source, info, **kwargs):
            await asyncio.sleep(0)
            return models.Article.objects.filter(title="title1").exists()

    @strawberry.type
    class Guarded:
        @strawberry.field(permission_classes=[Permission])
        def it(self) -> int:
            return models.Article.objects.count()

    before = await schema(Guarded).execute("{ it }")
    await fill()

    assert [error.message for error in before.errors] == ["no"]
    assert await data(schema(Guarded), "{ it }") == {"it": 3}


async def test_a_type_of_the_project_may_have_a_property_that_queries():
    class Row:
        @property
        def n_articles(self):
            return models.Article.objects.count()

    @strawberry.type
    class Counted:
        n_articles: int

    @strawberry.type
    class Roots:
        @strawberry.field
        def it(self) -> Counted:
            return Row()

    await fill()

    assert await data(schema(Roots), "{ it { nArticles } }") == {"it": {"nArticles": 3}}


loaded = []


async def load_authors(keys):
    loaded.append(keys)
    # Plain, after an await.
    await asyncio.sleep(0)
    found = {author.pk: author for author in models.Author.objects.filter(pk__in=keys)}
    return [found[key] for key in keys]


def load_synchronously(keys):
    loaded.append(keys)
    found = models.Author.objects.in_bulk(keys)
    return [found[key] for key in keys]


async def load_by_coroutine(keys):
    loaded.append(keys)
    found = {author.pk: author async for author in models.Author.objects.filter(pk__in=keys)}
    return [found[key] for key in keys]


@pytest.mark.parametrize(
    "loader",
    [
        lambda: DataLoader(load_authors),
        lambda: DataLoader(load_synchronously),
        lambda: strawberry.dataloader.DataLoader(load_by_coroutine),
    ],
    ids=["plain after an await", "synchronous", "strawberry's own"],
)
async def test_a_data_loader_asks_once_for_all_rows(loader):
    @turbo.type(models.Article, name="Loaded")
    class Loaded:
        title: strawberry.auto

        @turbo.field(only=["author_id"])
        async def writer(self, info: strawberry.Info) -> Author:
            return await info.context["authors"].load(self.author_id)

    @strawberry.type
    class Loading:
        articles: list[Loaded] = turbo.field()

    await fill()
    loaded.clear()

    with counted() as asked:
        result = await data(
            schema(Loading),
            "{ articles { title writer { name } } }",
            context_value={"authors": loader()},
        )

    assert result["articles"] == [
        {"title": f"title{n}", "writer": {"name": f"author{n}"}} for n in range(3)
    ]
    assert (len(loaded), len(asked)) == (1, 2)


async def test_a_resolver_sees_the_context_variables_of_its_request():
    language = ContextVar("language", default="none")

    @strawberry.type
    class Spoken:
        @strawberry.field
        def sync(self) -> str:
            return f"{language.get()} {models.Article.objects.count()}"

        @strawberry.field
        async def coroutine(self) -> str:
            await asyncio.sleep(0)
            return language.get()

    language.set("cy")

    assert await data(schema(Spoken), "{ sync coroutine }") == {"sync": "cy 0", "coroutine": "cy"}


async def test_synchronous_execution_works_in_the_bridge_and_stays_synchronous():
    await fill()
    built = schema(common_query())

    result = await run_sync(built.execute_sync, "{ articles { title author { name } } }")

    assert result.data == {
        "articles": [{"title": f"title{n}", "author": {"name": f"author{n}"}} for n in range(3)]
    }


def test_synchronous_execution_works_where_no_loop_runs():
    models.Article.objects.create(title="it", author=models.Author.objects.create(name="Ada"))

    result = schema(common_query()).execute_sync("{ articles { title author { name } } }")

    assert result.data == {"articles": [{"title": "it", "author": {"name": "Ada"}}]}
    connection.close()


def common_query():
    @strawberry.type
    class Roots:
        articles: list[Article] = strawberry_django.field()

    return Roots


def test_all_drop_ins_make_our_field():
    @turbo.type(models.Author, name="Dropped")
    class Dropped:
        name: strawberry.auto

    @strawberry.type
    class Roots:
        it: list[Dropped] = turbo.field()
        page: strawberry_django.pagination.OffsetPaginated[Dropped] = turbo.offset_paginated()

    fields = [
        *Dropped.__strawberry_definition__.fields,
        *Roots.__strawberry_definition__.fields,
    ]
    assert {type(field) for field in fields} == {turbo.TurboField}
    assert common.Author
