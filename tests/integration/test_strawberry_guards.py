"""Limits of pages, of nodes, and of the documents themselves."""

import inspect

import pytest
import strawberry_django
from strawberry_django.pagination import OffsetPaginated
from strawberry_django.relay import DjangoListConnection

import strawberry
import turbo_orm_strawberry as turbo
from strawberry import relay
from tests.ninja.helpers import counted, fill
from tests.strawberry.common import schema
from tests.testapp import models
from turbo_orm_strawberry import SizeLimiter, guards

pytestmark = pytest.mark.rolled_back


@turbo.type(models.Tag, pagination=True, name="GuardedTag")
class Tag:
    name: strawberry.auto
    articles: list["Article"]


@turbo.type(models.Article, pagination=True, name="GuardedArticle")
class Article:
    title: strawberry.auto
    tags: list[Tag]
    all_tags: list["PlainTag"] = turbo.field(field_name="tags")


@turbo.type(models.Tag, name="PlainTag")
class PlainTag:
    name: strawberry.auto


@turbo.type(models.Article, name="GuardedNode")
class Node(relay.Node):
    title: strawberry.auto
    tags: DjangoListConnection["TagNode"] = turbo.connection()


@turbo.type(models.Tag, name="GuardedTagNode")
class TagNode(relay.Node):
    name: strawberry.auto


@strawberry.type
class Query:
    articles: list[Article] = turbo.field()
    plain: list[PlainTag] = turbo.field()
    stock: list[PlainTag] = strawberry_django.field()
    pages: OffsetPaginated[Article] = turbo.offset_paginated()
    nodes: DjangoListConnection[Node] = turbo.connection()
    few: DjangoListConnection[Node] = turbo.connection(max_results=3)

    @strawberry.field
    def generated(self) -> list[PlainTag]:
        return (tag for tag in models.Tag.objects.iterator())

    @strawberry.field
    async def later(self) -> list[PlainTag]:
        return models.Tag.objects.all()


def limited(**limits):
    return schema(Query, extensions=[lambda: SizeLimiter(**limits)])


async def messages(built, query, **options):
    result = await built.execute(query, **options)
    return [error.message for error in result.errors or ()]


FRAGMENT = """
    { articles(pagination: {limit: 1}) { ...F } }
    fragment F on GuardedArticle { tags(pagination: {limit: 12}) { name } }
"""
TOO_LARGE = [
    ("{ articles(pagination: {limit: 11}) { title } }", "articles", 11),
    ("{ articles(pagination: {limit: -1}) { title } }", "articles", -1),
    ("{ pages(pagination: {limit: 11}) { totalCount } }", "pages", 11),
    ("{ nodes(first: 11) { edges { node { title } } } }", "nodes", 11),
    ("{ nodes(last: 11) { edges { node { title } } } }", "nodes", 11),
    ("{ nodes(first: 1) { edges { node { tags(first: 11) { totalCount } } } } }", "tags", 11),
    ("query Q($n: Int = 11) { nodes(first: $n) { totalCount } }", "nodes", 11),
    (FRAGMENT, "tags", 12),
    # No `first`: strawberry gives what stands before the cursor, "arrayconnection:11".
    ('{ nodes(before: "YXJyYXljb25uZWN0aW9uOjEx") { totalCount } }', "nodes", 11),
    ("{ ... on Query { articles(pagination: {limit: 13}) { title } } }", "articles", 13),
]


@pytest.mark.parametrize(("query", "field", "size"), TOO_LARGE)
async def test_a_page_that_is_too_large_is_refused_before_anything_is_fetched(query, field, size):
    await fill()

    with counted() as asked:
        found = await messages(limited(max_page_size=10), query)

    assert found == [f"A page of {field!r} may have 10 nodes, and {size} are asked for."]
    assert asked == []


async def test_sizes_in_variables_are_read():
    query = "query Q($page: OffsetPaginationInput!) { articles(pagination: $page) { title } }"
    built = limited(max_page_size=10)

    assert await messages(built, query, variable_values={"page": {"limit": 10}}) == []
    assert await messages(built, query, variable_values={"page": {"limit": 99}}) == [
        "A page of 'articles' may have 10 nodes, and 99 are asked for."
    ]


LIMIT = "($n: Int) { articles(pagination: {limit: $n}) { title } }"
PAGE = "($p: OffsetPaginationInput) { articles(pagination: $p) { title } }"
FIRST = "($n: Int) { nodes(first: $n) { totalCount } }"
LAST = "($n: Int) { nodes(last: $n) { totalCount } }"
# What GraphQL takes for the number 11, and what it takes for none.
COERCED = [
    ("query" + LIMIT, {"n": 11.0}),
    ("query" + LIMIT.replace("Int)", "Int = 11)"), {}),
    ("query" + LIMIT.replace("Int)", "Int! = 11)"), None),
    ("query" + PAGE, {"p": {"limit": 11.0}}),
    ("query" + PAGE.replace("Input)", "Input = {limit: 11})"), {}),
    ("query" + PAGE.replace("Input)", "Input = {offset: 3, limit: 11})"), {}),
    ("query" + FIRST, {"n": 11.0}),
    ("query" + FIRST.replace("Int)", "Int = 11)"), {}),
    ("query" + LAST, {"n": 11.0}),
]
AS_DEFAULT = [
    ("query" + LIMIT, {"n": None}),
    ("query" + LIMIT, {}),
    ("query" + LIMIT.replace("Int)", "Int = 11)"), {"n": None}),
    ("query" + LIMIT.replace("Int)", "Int = 11)"), {"n": 5}),
    ("query" + PAGE, {"p": None}),
    ("query" + PAGE, {"p": {"offset": 11}}),
    ("query" + PAGE, {"p": {"limit": None}}),
    ("query" + FIRST, {"n": None}),
    ("query" + FIRST, {"n": 10.0}),
]


@pytest.mark.parametrize(("query", "variables"), COERCED)
async def test_variables_are_coerced_as_the_execution_does(query, variables):
    with counted() as asked:
        [found] = await messages(limited(max_page_size=10), query, variable_values=variables)

    assert found.endswith("may have 10 nodes, and 11 are asked for.")
    assert asked == []


@pytest.mark.parametrize(("query", "variables"), AS_DEFAULT)
async def test_a_variable_that_is_null_or_small_is_no_page_size(query, variables):
    built = limited(max_page_size=10)

    assert await messages(built, query, variable_values=variables) == []


@pytest.mark.parametrize("wrong", ["11", 10.5, True, [11], {"limit": 11}, 2**31, 10**30])
@pytest.mark.parametrize("query", ["query" + LIMIT, "query" + FIRST])
async def test_a_variable_that_graphql_refuses_is_refused_as_without_guards(query, wrong):
    options = {"variable_values": {"n": wrong}}

    with counted() as asked:
        found = await messages(limited(max_page_size=10, max_nodes=1), query, **options)

    assert found == await messages(schema(Query), query, **options) != []
    assert asked == []


async def test_a_field_that_is_skipped_has_no_pages():
    query = "query Q($all: Boolean!) { nodes(first: 11) @include(if: $all) { totalCount } }"
    built = limited(max_page_size=10)

    assert await messages(built, query, variable_values={"all": False}) == []
    assert len(await messages(built, query, variable_values={"all": True})) == 1
    assert (
        await messages(built, query.replace("include", "skip"), variable_values={"all": True}) == []
    )


async def test_only_the_operation_that_is_executed_counts():
    query = (
        "query Small { nodes(first: 1) { totalCount } }"
        " query Large { nodes(first: 11) { totalCount } }"
    )
    built = limited(max_page_size=10)

    assert await messages(built, query, operation_name="Small") == []
    assert await messages(built, query, operation_name="Large") != []


async def test_pages_inside_pages_are_multiplied():
    built = limited(max_nodes=100)
    query = (
        "{ nodes(first: %d) { edges { node { tags(first: 10) { edges { node { name } } } } } } }"
    )

    assert await messages(built, query % 9) == []
    # 10 articles, and ten times 10 tags.
    [message] = await messages(built, query % 10)
    assert message == (
        "The operation asks for up to 110 nodes; 100 are allowed. Ask for smaller pages, or for "
        "fewer lists inside lists."
    )


async def test_a_page_whose_size_is_not_given_has_the_default_size():
    built = limited(max_nodes=50)

    assert "up to 100 nodes" in (await messages(built, "{ nodes { totalCount } }"))[0]
    assert "up to 100 nodes" in (await messages(built, "{ articles { title } }"))[0]
    assert await messages(built, "{ few { edges { node { title } } } }") == []


@pytest.mark.parametrize("field", ["plain", "later"])
async def test_a_list_without_pages_is_fetched_with_a_limit(field):
    for number in range(10):
        await models.Tag.objects.acreate(name=f"tag{number}")

    with counted() as asked:
        found = await messages(limited(max_nodes=5), f"{{ {field} {{ name }} }}")

    [message] = found
    assert message == (
        "The operation fetched more than the 5 nodes that are allowed. Ask for smaller pages, or "
        "for fewer lists inside lists."
    )
    assert "LIMIT" in asked[0]


@pytest.mark.parametrize("field", ["plain", "stock", "later", "generated"])
async def test_every_list_is_counted(field):
    for number in range(5):
        await models.Tag.objects.acreate(name=f"tag{number}")
    query = f"{{ {field} {{ name }} }}"

    assert await messages(limited(max_nodes=5), query) == []
    assert len(await messages(limited(max_nodes=4), query)) == 1


async def test_lists_inside_lists_are_counted_together():
    await fill()
    query = "{ articles(pagination: {limit: 3}) { allTags { name } } }"

    # Three articles with three tags each.
    assert await messages(limited(max_nodes=12), query) == []
    assert len(await messages(limited(max_nodes=11), query)) >= 1


async def test_each_operation_has_its_own_count():
    await fill()
    built = limited(max_nodes=3)

    for _ in range(3):
        assert await messages(built, "{ plain { name } }") == []


DEEP = "{ articles " + "{ tags { articles " * 6 + "{ title }" + "} }" * 6 + " }"
ALIASES = " ".join(f"a{n}: __typename" for n in range(16))
NAMES = " ".join(["__typename"] * 1001)
DEFAULTS = {
    "depth": (DEEP, "depth"),
    "aliases": (f"{{ {ALIASES} }}", "aliases"),
    "tokens": (f"{{ {NAMES} }}", "tokens"),
    "page size": ("{ nodes(first: 101) { totalCount } }", "may have 100 nodes"),
    "nodes": (
        "{ nodes(first: 100) { edges { node { tags(first: 50) { edges { node { name } } } } } } }",
        "up to 5100 nodes; 5000 are allowed",
    ),
}


@pytest.mark.parametrize("name", DEFAULTS)
async def test_the_defaults_refuse_what_is_too_much(name):
    query, part = DEFAULTS[name]

    [message] = await messages(schema(Query, extensions=guards()), query)

    assert part in message


async def test_the_defaults_allow_what_is_usual():
    await fill()
    tags = "tags(first: 20) { edges { node { name } } }"
    query = "{ nodes(first: 20) { edges { node { title " + tags + " } } } }"

    assert await messages(schema(Query, extensions=guards()), query) == []


async def test_graphiqls_own_query_passes():
    from graphql import get_introspection_query

    assert await messages(schema(Query, extensions=guards()), get_introspection_query()) == []


async def test_what_is_none_has_no_limit():
    nothing = dict.fromkeys(inspect.signature(guards).parameters)

    assert guards(**nothing) == []
    for name in ("depth", "aliases"):
        assert await messages(schema(Query, extensions=guards(**nothing)), DEFAULTS[name][0]) == []


def test_guards_hold_in_synchronous_execution():
    result = limited(max_page_size=10).execute_sync("{ nodes(first: 11) { totalCount } }")

    assert [error.message for error in result.errors] == [
        "A page of 'nodes' may have 10 nodes, and 11 are asked for."
    ]
