"""Our asynchronous results are stock strawberry-django's synchronous ones, with no more queries."""

import asyncio
import gc
import random
from typing import Any

import pytest
import strawberry_django
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext
from strawberry.django.context import StrawberryDjangoContext
from strawberry_django.optimizer import DjangoOptimizerExtension

import strawberry
import turbo_orm_strawberry
from tests.ninja import common
from tests.ninja.helpers import counted
from tests.strawberry.cases import CASES, Case
from tests.strawberry.loading import load
from tests.strawberry.numbers import CASES as NUMBERS
from tests.strawberry.random_cases import random_cases
from tests.testapp.models import Article, Author, Plain, Tag
from tests.thorough import cases
from turbo_orm import close_pools
from turbo_orm_strawberry import TurboExtension, guards


def schema_of(api: Any, extensions: list[Any]) -> strawberry.Schema:
    # Strawberry changes the fields of its types, which therefore are for one schema.
    module = load(api, f"{api.__name__}_{len(extensions)}")
    return strawberry.Schema(module.Query, module.Mutation, extensions=extensions)


SCHEMAS = {
    optimized: (
        schema_of(strawberry_django, optimizer),
        schema_of(turbo_orm_strawberry, [*optimizer, TurboExtension]),
    )
    for optimized, optimizer in ((True, [DjangoOptimizerExtension]), (False, []))
}

NUMBERED = [f"testapp_{name}" for name in ("comment", "profile", "article", "author", "tag")]
NUMBERED += ["auth_user"]
TABLES = ["testapp_article_tags", "auth_user_user_permissions", *NUMBERED]


def begin():
    """Make the rows anew, with the same keys."""
    with connection.cursor() as cursor:
        for table in TABLES:
            # Faster than TRUNCATE, which makes new files.
            cursor.execute(f"DELETE FROM {table}")
        for table in NUMBERED:
            cursor.execute(f"ALTER SEQUENCE {table}_id_seq RESTART")
    ContentType.objects.clear_cache()
    ContentType.objects.get_for_models(Article, Plain, Author)
    common.fill()
    ada = User.objects.create_user("ada")
    User.objects.create_user("bob")
    User.objects.create_user("root", is_staff=True, is_superuser=True)
    for name in ("view_author", "view_article", "add_author"):
        kind = ContentType.objects.get_for_model(Article if "article" in name else Author)
        permission, _ = Permission.objects.get_or_create(
            codename=name, content_type=kind, defaults={"name": name}
        )
        ada.user_permissions.add(permission)


def context_of(case: Case) -> StrawberryDjangoContext:
    request = HttpRequest()
    request.user = User.objects.get(username=case.user) if case.user else AnonymousUser()
    return StrawberryDjangoContext(request=request, response=HttpResponse())


def rows() -> Any:
    return [
        sorted(Article.objects.values_list("pk", "title", "author__name", "tags__name")),
        sorted(Author.objects.values_list("pk", "name", "age")),
        sorted(Tag.objects.values_list("pk", "name")),
    ]


def summary(result: Any) -> Any:
    """Return everything that a client sees."""
    return result.data, [error.formatted for error in result.errors or ()], result.extensions


def synchronous(schema: strawberry.Schema, case: Case) -> Any:
    context = context_of(case)
    with CaptureQueriesContext(connection) as queries:
        result = schema.execute_sync(case.document, case.variables, context)
    return summary(result), len(queries)


def asynchronous(schema: strawberry.Schema, cases: dict[str, Case]) -> Any:
    contexts = {name: context_of(case) for name, case in cases.items()}
    connection.close()

    async def execute():
        try:
            return {
                name: await executed(schema, case, contexts[name]) for name, case in cases.items()
            }
        finally:
            await close_pools()

    try:
        return asyncio.run(execute())
    finally:
        # Now, and not in another test, graphql-core 3.2 complains of coroutines of its own that it
        # has forgotten: those of the siblings of a field that failed.
        gc.collect()


async def executed(schema: strawberry.Schema, case: Case, context: Any) -> Any:
    with counted() as statements:
        result = await schema.execute(case.document, case.variables, context)
    return summary(result), len(statements)


def told(result: Any) -> Any:
    """Return the data, and the messages without their places."""
    (found, errors, _), _ = result
    return found, [error["message"] for error in errors]


MUTATIONS = [name for name, case in CASES.items() if case.document.startswith("mutation")]
QUERIES = {name: case for name, case in CASES.items() if name not in MUTATIONS}


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning:strawberry_django")
@pytest.mark.parametrize("optimized", SCHEMAS, ids=["optimizer", "no optimizer"])
def test_results_of_queries_are_those_of_stock_strawberry_django(optimized):
    assert_same(*SCHEMAS[optimized], QUERIES)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_does_what_it_does_in_stock_strawberry_django(name):
    case = CASES[name]
    for optimized, (stock, ours) in SCHEMAS.items():
        begin()
        expected, most_queries = synchronous(stock, case)
        expected_rows = rows()
        begin()

        [[result, queries]] = asynchronous(ours, {name: case}).values()

        assert result == expected, optimized
        assert rows() == expected_rows
        assert queries <= most_queries


def test_the_schema_is_that_of_stock_strawberry_django():
    stock, ours = SCHEMAS[True]

    assert ours.as_str() == stock.as_str()


def assert_same(stock: strawberry.Schema, ours: strawberry.Schema, tried: dict[str, Case]) -> None:
    begin()
    expected = {name: synchronous(stock, case) for name, case in tried.items()}

    results = asynchronous(ours, tried)

    for name, case in tried.items():
        if case.ends_early:
            assert (name, told(results[name])) == (name, told(expected[name]))
        else:
            assert (name, case, results[name][0]) == (name, case, expected[name][0])
            assert results[name][1] <= expected[name][1], (name, case)


def chosen(found: dict[str, Case], number: int) -> dict[str, Case]:
    names = random.Random(19).sample(sorted(found), min(number, len(found)))
    return {name: found[name] for name in names}


@pytest.mark.parametrize("optimized", SCHEMAS, ids=["optimizer", "no optimizer"])
def test_every_number_of_a_client_gets_the_answer_of_stock_strawberry_django(optimized):
    assert_same(*SCHEMAS[optimized], chosen(NUMBERS, cases(25, 500)))


def test_guards_refuse_a_number_or_leave_the_answer_as_it_is():
    stock, _ = SCHEMAS[True]
    guarded = schema_of(turbo_orm_strawberry, [*guards(), DjangoOptimizerExtension, TurboExtension])
    surely = "a limit: 2**31 - 1"
    tried = chosen(NUMBERS, cases(25, 500)) | {surely: NUMBERS[surely]}
    begin()
    expected = {name: synchronous(stock, case) for name, case in tried.items()}

    results = asynchronous(guarded, tried)

    refused = []
    for name, case in tried.items():
        (found, messages), stocks = told(results[name]), told(expected[name])
        if messages and messages[0].startswith(("A page of", "The operation asks for")):
            refused.append(name)
            assert found is None
        elif not case.ends_early:
            assert (name, found, messages) == (name, *stocks)
    assert surely in refused


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning:strawberry_django")
@pytest.mark.parametrize("optimized", SCHEMAS, ids=["optimizer", "no optimizer"])
def test_any_query_gets_the_answer_of_stock_strawberry_django(optimized):
    stock, ours = SCHEMAS[optimized]
    tried = random_cases(cases(20, 300))
    begin()
    expected = {name: synchronous(stock, case) for name, case in tried.items()}

    results = asynchronous(ours, tried)

    for name, case in tried.items():
        assert (name, case.document, results[name][0]) == (name, case.document, expected[name][0])
        if optimized and not expected[name][0][1]:
            assert results[name][1] <= expected[name][1], (name, case.document)


SAME_OBJECT = {
    document: Case(document)
    for document in (
        "{ raw { profile { bio } b: profile { bio } } }",
        "{ raw { profile { bio } ... { c: profile { bio } } d: profile { bio } } }",
        "{ deferred { name b: name age } }",
        "{ deferred { shout name age } }",
        "{ articles { author { name } a: author { age } authorName } }",
        "{ articles { authorName b: authorName author { shout } } }",
        "{ authors { name profile { bio } articles { authorId authorName } } }",
        "{ articles { oneTag { articles(pagination: {limit: 2}) { authorId authorName } } } }",
        "{ custom(age: 2) { edited(filters: {author: {age: {gte: 2}}}) { authorId authorName } } }",
    )
}


@pytest.mark.parametrize("optimized", SCHEMAS, ids=["optimizer", "no optimizer"])
def test_fields_of_one_object_load_what_it_keeps_once(optimized):
    assert_same(*SCHEMAS[optimized], SAME_OBJECT)
