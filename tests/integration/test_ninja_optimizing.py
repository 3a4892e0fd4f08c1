"""An operation's queryset fetches what its response schema reads, once, and nothing else."""

from typing import Annotated, Any

import pytest
from ninja.testing import TestAsyncClient
from pydantic import (
    AliasChoices,
    AliasPath,
    BeforeValidator,
    ConfigDict,
    field_validator,
    model_validator,
)

from ninja import Field, Schema
from tests.ninja import schemas
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author, Plain
from turbo_orm import run_sync
from turbo_orm_ninja import TurboNinjaAPI, optimize, reads
from turbo_orm_ninja.shapes import shape_of


async def ask(schema, queryset, *decorators, api=None):
    """Return the response of an operation and its statements, for three rows."""
    api = TurboNinjaAPI() if api is None else api

    async def operation(request):
        return queryset()

    for decorator in decorators:
        operation = decorator(operation)
    api.get("/it", response=list[schema])(operation)
    await fill()
    with counted() as statements:
        response = await TestAsyncClient(api).get("/it")
    assert response.status_code == 200
    return response.json(), statements


async def test_a_three_level_schema_takes_as_many_queries_for_many_rows_as_for_one():
    api = TurboNinjaAPI()

    @api.get("/articles", response=list[schemas.ArticleDeep])
    async def articles(request):
        return Article.objects.all()

    client = TestAsyncClient(api)
    await fill(0, 1)
    with counted() as for_one:
        await client.get("/articles")
    await fill(1, 9)
    with counted() as for_many:
        response = await client.get("/articles")

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


async def test_rows_that_the_operation_has_fetched_are_completed_in_as_many_queries():
    api = TurboNinjaAPI()

    @api.get("/articles", response=list[schemas.ArticleDeep])
    async def articles(request):
        return await Article.objects.all().alist()

    await fill(0, 5)
    with counted() as statements:
        response = await TestAsyncClient(api).get("/articles")

    assert len(response.json()) == 5
    assert len(statements) == 6


async def test_one_object_is_completed_in_as_many_queries():
    api = TurboNinjaAPI()

    @api.get("/author", response=schemas.AuthorTree)
    async def author(request):
        return await Author.objects.aget(pk=1)

    await fill(0, 1)
    for number in range(5):
        await Article.objects.acreate(title=f"more{number}", author_id=1)
    with counted() as statements:
        response = await TestAsyncClient(api).get("/author")

    assert len(response.json()["articles"]) == 6
    assert len(statements) == 3


async def test_columns_that_nobody_reads_are_not_selected():
    _, [statement] = await ask(schemas.Title, Article.objects.all)

    assert statement.startswith('SELECT "testapp_article"."id", "testapp_article"."title" FROM')


@pytest.mark.parametrize("where", ["operation", "API"])
async def test_it_is_turned_off_per(where):
    if where == "operation":
        rows, statements = await ask(schemas.ArticleOut, Article.objects.all, optimize(False))
    else:
        api = TurboNinjaAPI(optimize=False)
        rows, statements = await ask(schemas.ArticleOut, Article.objects.all, api=api)

    assert rows[0]["author"] == {"id": 1, "name": "author0"}
    assert len(statements) == 1 + 3 * 2
    assert '"metadata"' in statements[0]


async def test_it_is_turned_on_again_for_one_operation():
    api = TurboNinjaAPI(optimize=False)

    _, statements = await ask(schemas.ArticleOut, Article.objects.all, optimize(), api=api)

    assert len(statements) == 2


async def test_what_the_queryset_asks_for_itself_stays():
    def queryset():
        return Article.objects.select_related("editor").prefetch_related("tags")

    rows, statements = await ask(schemas.ArticleOut, queryset)

    assert rows[2]["tags"] == [{"name": "tag0"}, {"name": "tag1"}, {"name": "tag2"}]
    assert len(statements) == 3
    assert '"metadata"' in statements[0]


async def test_querysets_of_djangos_own_managers_are_optimised_too():
    class Child(Schema):
        name: str

    class Parent(Schema):
        name: str
        children: list[Child]
        parent: Child | None

    for number in range(3):
        parent = await run_sync(Plain.objects.create, name=f"parent{number}")
        await run_sync(Plain.objects.create, name=f"child{number}", parent=parent)

    rows, statements = await ask(Parent, Plain.objects.order_by("pk").all)

    assert rows[0] == {"name": "parent0", "children": [{"name": "child0"}], "parent": None}
    assert len(rows) == 6
    assert len(statements) == 2


async def test_a_resolver_that_says_what_it_reads_costs_no_more():
    _, undeclared = await ask(schemas.Resolved, Article.objects.all)
    _, declared = await ask(schemas.Declared, Article.objects.all)

    assert len(undeclared) == 1 + 3 * 3
    assert len(declared) == 1
    assert '"metadata"' not in declared[0]


class Node(Schema):
    name: str
    children: list["Node"] = []


class Before(Schema):
    name: str

    @model_validator(mode="before")
    @classmethod
    def look(cls, value: Any) -> Any:
        return value


class OfField(Schema):
    title: str
    author: schemas.AuthorOut

    @field_validator("author", mode="before")
    @classmethod
    def look(cls, value: Any) -> Any:
        return value


class AfterField(Schema):
    author: schemas.AuthorOut

    @field_validator("author")
    @classmethod
    def look(cls, value: Any) -> Any:
        return value


class OfAnnotation(Schema):
    author: Annotated[schemas.AuthorOut, BeforeValidator(lambda value: value)]


class Paths(Schema):
    bio: str = Field(validation_alias=AliasPath("profile", "bio"))
    first: str = Field(validation_alias=AliasPath("articles", 0, "title"))
    either: str = Field(validation_alias=AliasChoices("name", AliasPath("a", "b")))


class ByName(Schema):
    model_config = ConfigDict(populate_by_name=True)

    heading: str = Field(alias="title")


class Reading(Schema):
    title: str

    @staticmethod
    @reads("author.name", "tags.name")
    def resolve_title(obj: Any) -> str:
        return ""


class Both(Schema):
    which: schemas.AuthorOut | schemas.TagOut


SHAPES = {
    "columns": (schemas.Title, {"title"}),
    "list": (list[schemas.Title], {"title"}),
    "optional": (schemas.Title | None, {"title"}),
    "nothing": (int, set()),
    "nested": (schemas.ArticleOut, {"id", "title", "author.id", "author.name", "tags.name"}),
    "union": (Both, {"which.id", "which.name"}),
    "model schema": (
        schemas.ArticleModel,
        {"id", "title", "author_id", "editor_id", "tags", "metadata", "is_published"},
    ),
    "aliases": (schemas.Aliased, {"title", "author.name", "author.id"}),
    "alias paths and choices": (Paths, {"profile.bio", "articles.*.title", "name", "a.b"}),
    "by name too": (ByName, {"title", "heading"}),
    "computed": (schemas.Computed, {"title", "views"}),
    "resolvers": (schemas.Resolved, {"title", "*"}),
    "resolvers that say": (Reading, {"author.name", "tags.name"}),
    "a tree": (Node, {"name", "children.name", "children.children"}),
    "validator of the object": (Before, {"*", "name"}),
    "validator of a relation": (OfField, {"title", "author.*", "author.id", "author.name"}),
    "validator of what was made": (AfterField, {"author.id", "author.name"}),
    "validator in an annotation": (OfAnnotation, {"author.*", "author.id", "author.name"}),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_the_paths_of(kind):
    annotation, paths = SHAPES[kind]

    assert shape_of(annotation).paths == paths


def test_a_dictionary_has_a_shape_per_key():
    shape = shape_of(schemas.Page)

    assert {key: member.paths for key, member in shape.members.items()} == {
        "total": set(),
        "rows": SHAPES["nested"][1],
        "first": SHAPES["nested"][1],
    }
