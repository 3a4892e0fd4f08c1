"""Mutations that are one transaction."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import connections, transaction

import strawberry
import turbo_orm_strawberry as turbo
from tests.strawberry.common import Author, Tag, data, schema
from tests.testapp import models
from turbo_orm import on_commit, run_sync
from turbo_orm_strawberry import mutations

committed = []


@turbo.input(models.Tag)
class TagInput:
    name: strawberry.auto


@turbo.partial(models.Author)
class AuthorInput:
    id: strawberry.auto
    name: strawberry.auto


@strawberry.type
class Query:
    tags: list[Tag] = turbo.field()


def two(first, second):
    models.Tag.objects.create(name=first)
    if second == "refused":
        raise ValidationError({"name": "is refused"})
    if second == "broken":
        raise LookupError("broken")
    return models.Tag.objects.create(name=second)


@strawberry.type
class Mutation:
    create: Tag = mutations.create(TagInput, atomic=True, handle_django_errors=True)
    update: Author = mutations.update(AuthorInput, atomic=True)
    delete: Author = mutations.delete(AuthorInput, atomic=True)

    @turbo.mutation(atomic=True)
    def both(self, first: str, second: str) -> Tag:
        transaction.on_commit(lambda: committed.append(first))
        return two(first, second)

    @turbo.mutation(atomic=True)
    async def both_later(self, first: str, second: str) -> Tag:
        await on_commit(lambda: committed.append(first))
        await asyncio.sleep(0)
        return two(first, second)

    @turbo.mutation(atomic=True, handle_django_errors=True)
    def handled(self, first: str, second: str) -> Tag:
        return two(first, second)

    @turbo.mutation(atomic=True, handle_django_errors=True)
    async def handled_later(self, first: str, second: str) -> Tag:
        return await run_sync(two, first, second)

    @turbo.input_mutation(atomic=True)
    def by_input(self, first: str, second: str) -> Tag:
        return two(first, second)

    @turbo.mutation
    def loose(self, first: str, second: str) -> Tag:
        return two(first, second)

    @turbo.mutation(atomic="other")
    def elsewhere(self, name: str) -> str:
        models.Tag.objects.using("other").create(name=name)
        return f"{connections['other'].in_atomic_block} {connections['default'].in_atomic_block}"

    @turbo.mutation(atomic=True)
    def rows(self, name: str) -> list[Tag]:
        models.Tag.objects.create(name=name)
        return models.Tag.objects.all()

    @turbo.mutation(atomic=True)
    async def rows_later(self, name: str) -> list[Tag]:
        await models.Tag.objects.acreate(name=name)
        return models.Tag.objects.all()


BUILT = schema(Query, Mutation)
BOTH = ["both", "bothLater", "handled", "handledLater"]


def written(name, first, second):
    selection = "{ name }" if "handled" not in name else "{ ... on Tag { name } }"
    return f'mutation {{ {name}(first: "{first}", second: "{second}") {selection} }}'


async def names():
    return sorted([tag.name async for tag in models.Tag.objects.all()])


@pytest.mark.parametrize("name", BOTH)
async def test_an_atomic_mutation_writes_everything(name, at_rest):
    assert await data(BUILT, written(name, "a", "b")) == {name: {"name": "b"}}
    assert await names() == ["a", "b"]


@pytest.mark.parametrize("name", BOTH)
async def test_an_error_rolls_an_atomic_mutation_back(name, at_rest):
    committed.clear()

    result = await BUILT.execute(written(name, "a", "broken"))

    assert [error.message for error in result.errors] == ["broken"]
    assert (await names(), committed) == ([], [])


@pytest.mark.parametrize("name", ["handled", "handledLater"])
async def test_an_error_that_becomes_a_message_rolls_back_too(name, at_rest):
    result = await BUILT.execute(
        f'mutation {{ {name}(first: "a", second: "refused")'
        " { ... on OperationInfo { messages { field message } } } }"
    )

    assert result.data == {name: {"messages": [{"field": "name", "message": "is refused"}]}}
    assert await names() == []


async def test_without_it_each_statement_is_on_its_own(at_rest):
    await BUILT.execute(written("loose", "a", "broken"))

    assert await names() == ["a"]


async def test_an_input_mutation_may_be_atomic(at_rest):
    await BUILT.execute('mutation { byInput(input: {first: "a", second: "broken"}) { name } }')

    assert await names() == []


@pytest.mark.parametrize("name", ["both", "bothLater"])
async def test_what_waits_for_the_commit_runs_after_it(name, at_rest):
    committed.clear()

    await data(BUILT, written(name, "a", "b"))

    assert committed == ["a"]


@pytest.mark.parametrize("name", ["rows", "rowsLater"])
async def test_rows_that_it_returns_are_read_in_it(name, at_rest):
    assert await data(BUILT, f'mutation {{ {name}(name: "a") {{ name }} }}') == {
        name: [{"name": "a"}]
    }


async def test_it_may_be_a_transaction_of_another_database(at_rest):
    assert await data(BUILT, 'mutation { elsewhere(name: "x") }') == {"elsewhere": "True False"}


async def test_generated_mutations_take_it_as_well(at_rest):
    author = await models.Author.objects.acreate(name="Ada")

    result = await BUILT.execute(
        f'mutation {{ create(data: {{name: "new"}}) {{ ... on Tag {{ name }} }}'
        f' update(data: {{id: {author.pk}, name: "Bob"}}) {{ name }}'
        f" delete(data: {{id: {author.pk}}}) {{ name }} }}"
    )

    assert (result.errors, result.data) == (
        None,
        {"create": {"name": "new"}, "update": {"name": "Bob"}, "delete": {"name": "Bob"}},
    )
    assert not await models.Author.objects.aexists()


@pytest.mark.rolled_back
@pytest.mark.parametrize("name", ["both", "handled"])
def test_it_works_in_synchronous_execution_too(name):
    result = BUILT.execute_sync(written(name, "a", "broken"))

    assert [error.message for error in result.errors] == ["broken"]
    assert not models.Tag.objects.exists()


@pytest.mark.needs_thread("stock strawberry-django's asynchronous execution")
async def test_it_works_in_a_schema_without_the_extension_too(at_rest):
    @strawberry.type
    class Stock:
        @turbo.mutation(atomic=True)
        def both(self, first: str, second: str) -> str:
            return two(first, second).name

    result = await strawberry.Schema(Query, Stock).execute(
        'mutation { both(first: "a", second: "broken") }'
    )

    await sync_to_async(connections.close_all)()

    assert [error.message for error in result.errors] == ["broken"]
    assert await names() == []
