"""Limits of time, of lists in arguments, and of operations in a batch."""

import asyncio
import json

import pytest
import strawberry_django
from django.http import HttpRequest
from django.test import AsyncRequestFactory
from strawberry.extensions import SchemaExtension
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

import strawberry
import turbo_orm_strawberry as turbo
from tests.ninja.helpers import counted
from tests.strawberry.common import schema, sleep
from tests.testapp import models
from tests.waiting import until_asleep, until_nobody_sleeps
from turbo_orm import atomic
from turbo_orm_strawberry import AsyncGraphQLView, guards


@strawberry_django.filter_type(models.Tag, lookups=True, name="LimitedTagFilter")
class TagFilter:
    id: strawberry.auto
    name: strawberry.auto


@turbo.type(models.Tag, filters=TagFilter, name="LimitedTag")
class Tag:
    name: strawberry.auto


@strawberry.type
class Query:
    tags: list[Tag] = turbo.field()

    @strawberry.field
    def total(self, ids: list[strawberry.ID]) -> int:
        return len(ids)

    @strawberry.field
    def grid(self, rows: list[list[int]]) -> int:
        return len(rows)

    @strawberry.field
    def document(self, value: JSON) -> int:
        return len(value)

    @strawberry.field
    def slow(self) -> int:
        sleep()
        return 1

    @strawberry.field
    async def slow_coroutine(self) -> int:
        async with atomic():
            await models.Tag.objects.acreate(name="gone")
            sleep()
        return 1

    @strawberry.field
    async def idle(self) -> int:
        await asyncio.Event().wait()
        return 1

    @strawberry.field
    def hello(self) -> str:
        return "hello"


@strawberry.type
class Mutation:
    @turbo.mutation(atomic=True)
    def add(self, name: str) -> Tag:
        tag = models.Tag.objects.create(name=name)
        sleep()
        return tag


OVER = "The operation took longer than the 0.05 seconds that are allowed."


def limited(**limits):
    return schema(Query, Mutation, extensions=guards(**limits))


def messages(result):
    return [error.message for error in result.errors or ()]


SLOW = [
    "{ slow }",
    "{ slowCoroutine }",
    "{ idle }",
    "{ hello a: slow b: slow c: slowCoroutine d: idle e: slow f: slow }",
    'mutation { add(name: "gone") { name } }',
]


@pytest.mark.parametrize("query", SLOW)
async def test_an_operation_that_takes_too_long_is_cancelled_on_the_server(query):
    result = await limited(timeout=0.05).execute(query)

    assert messages(result) == [OVER]
    assert result.data is None
    await until_nobody_sleeps()
    assert await models.Tag.objects.filter(name="gone").acount() == 0
    # Nobody has cancelled this task.
    await asyncio.sleep(0)


async def test_an_operation_that_is_fast_enough_is_answered():
    built = limited(timeout=600)

    for _ in range(3):
        assert (await built.execute("{ hello }")).data == {"hello": "hello"}


async def test_a_cancellation_from_outside_stays_one():
    task = asyncio.ensure_future(limited(timeout=600).execute("{ slow }"))
    await until_asleep()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await until_nobody_sleeps()


async def test_a_timeout_around_it_stays_a_timeout():
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(limited(timeout=600).execute("{ slow }"), 0.05)
    await until_nobody_sleeps()


class Renaming(SchemaExtension):
    def on_execute(self):
        try:
            yield
        except asyncio.CancelledError as error:
            raise ValueError("renamed") from error


@pytest.mark.skipif(not hasattr(asyncio.Task, "cancelling"), reason="Python 3.10 counts none")
async def test_a_task_whose_time_was_over_does_not_stay_cancelled():
    @strawberry.type
    class Waiting:
        @strawberry.field
        async def forever(self) -> int:
            await asyncio.Event().wait()
            return 1

    extensions = [*guards(timeout=0.01), turbo.TurboExtension, Renaming]
    found = await strawberry.Schema(Waiting, extensions=extensions).execute("{ forever }")

    assert messages(found) == ["renamed"]
    assert asyncio.current_task().cancelling() == 0


def test_synchronous_execution_has_no_time_limit():
    assert limited(timeout=0.000001).execute_sync("{ hello }").data == {"hello": "hello"}


IDS = "query Q($ids: [ID!]!) { total(ids: $ids) }"
TOO_LONG = [
    ("{ total(ids: [1, 2, 3]) }", None, "total", 3),
    (IDS, {"ids": ["1", "2", "3"]}, "total", 3),
    ("query Q($ids: [ID!]! = [1, 2, 3]) { total(ids: $ids) }", None, "total", 3),
    ("query Q($id: ID!) { total(ids: [$id, $id, $id]) }", {"id": 1}, "total", 3),
    ("{ grid(rows: [[1], [1, 2, 3, 4]]) }", None, "grid", 4),
    ("{ tags(filters: {id: {inList: [1, 2, 3]}}) { name } }", None, "tags", 3),
    ('{ tags(filters: {NOT: {name: {inList: ["a", "b", "c"]}}}) { name } }', None, "tags", 3),
    (
        "query Q($f: LimitedTagFilter) { tags(filters: $f) { name } }",
        {"f": {"OR": {"id": {"inList": [1, 2, 3, 4, 5]}}}},
        "tags",
        5,
    ),
]


@pytest.mark.parametrize(("query", "variables", "field", "items"), TOO_LONG)
async def test_a_list_that_is_too_long_is_refused_before_anything_is_fetched(
    query, variables, field, items
):
    with counted() as asked:
        found = messages(await limited(max_list_size=2).execute(query, variables))

    assert found == [f"A list in the arguments of {field!r} may have 2 items, and it has {items}."]
    assert asked == []
    assert messages(await limited(max_list_size=items).execute(query, variables)) == []
    assert messages(await limited().execute(query, variables)) == []


async def test_a_list_inside_a_scalar_is_no_list():
    result = await limited(max_list_size=2).execute(
        "query Q($v: JSON!) { document(value: $v) }", {"v": [1, 2, 3, 4]}
    )

    assert result.data == {"document": 4}


async def test_strawberrys_own_limit_of_a_batch_holds_in_our_view():
    built = schema(
        Query, extensions=guards(), config=StrawberryConfig(batching_config={"max_operations": 2})
    )
    view = AsyncGraphQLView.as_view(schema=built)

    async def posted(operations: int):
        body = json.dumps([{"query": "{ hello }"}] * operations)
        request: HttpRequest = AsyncRequestFactory().post(
            "/graphql", body, content_type="application/json"
        )
        return await view(request)

    allowed, refused = await posted(2), await posted(3)

    assert json.loads(allowed.content) == [{"data": {"hello": "hello"}}] * 2
    assert (refused.status_code, refused.content) == (400, b"Too many operations")
