"""Fields side by side: their connections, their transactions, their limit, their end."""

import asyncio
import gc

import pytest
from django.db import connection, transaction

import strawberry
import turbo_orm_strawberry as turbo
from tests.strawberry.common import Article, data, schema, sleep
from tests.testapp.models import Article as ArticleModel
from tests.testapp.models import Author, Tag
from tests.usage import most_in_use
from tests.waiting import until_asleep
from turbo_orm import atomic, in_bridge, pool_stats, run_sync
from turbo_orm_strawberry import TurboExtension


@pytest.fixture(autouse=True)
def _forgotten_coroutines():
    """Collect what graphql-core forgets of operations that do not end, before it is another's."""
    yield
    gc.collect()


def backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.2)")
        return cursor.fetchone()[0]


@strawberry.type
class Row:
    number: int

    @strawberry.field
    def backend(self) -> int:
        return backend()

    @strawberry.field
    def slow(self) -> int:
        sleep()
        return 1


@strawberry.type
class Query:
    @strawberry.field
    def sync(self) -> int:
        return backend()

    @strawberry.field
    async def coroutine(self) -> int:
        await asyncio.sleep(0)
        return backend()

    @strawberry.field
    def rows(self) -> list[Row]:
        return [Row(number=number) for number in range(6)]

    @strawberry.field
    def slow(self) -> int:
        sleep()
        return 1

    @strawberry.field
    async def slow_coroutine(self) -> int:
        async with atomic():
            await Tag.objects.acreate(name="gone")
            sleep()
        return 1

    @strawberry.field
    def fails(self) -> int:
        raise LookupError("at once")

    @strawberry.field
    async def fails_late(self) -> int:
        await until_asleep()
        raise LookupError("late")

    @strawberry.field
    def rolls_back(self) -> int | None:
        with transaction.atomic():
            Tag.objects.create(name="rolled back")
            sleep(0.2)
            raise LookupError("rolled back")

    @strawberry.field
    async def rolls_back_asynchronously(self) -> int | None:
        async with atomic():
            await Tag.objects.acreate(name="rolled back too")
            await run_sync(sleep, 0.2)
            raise LookupError("rolled back")

    @strawberry.field
    def writes(self) -> str:
        sleep(0.1)
        return Tag.objects.create(name="written").name

    @strawberry.field
    async def writes_asynchronously(self) -> str:
        await asyncio.sleep(0.1)
        return (await Tag.objects.acreate(name="written asynchronously")).name

    @strawberry.field
    async def nested_blocks(self) -> int:
        async with atomic():
            await Tag.objects.acreate(name="outer")
            try:
                async with atomic():
                    await Tag.objects.acreate(name="inner")
                    raise LookupError
            except LookupError:
                return await Tag.objects.acount()


async def test_fields_run_side_by_side_each_on_a_connection_of_its_own(full_pool, at_rest):
    query = "{ a: sync b: sync c: coroutine d: coroutine }"
    highest, [found] = await most_in_use(data(schema(Query), query))

    assert highest == 4
    assert len(set(found.values())) == 4


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_an_operation_has_no_more_connections_than_its_limit(limit, full_pool, at_rest):
    built = schema(Query, turbo=lambda: TurboExtension(max_connections=limit))
    query = "{ a: sync b: sync c: coroutine rows { backend } }"
    highest, _ = await most_in_use(data(built, query))

    assert highest == limit


async def test_two_operations_have_a_limit_each(full_pool, at_rest):
    built = schema(Query, turbo=lambda: TurboExtension(max_connections=1))
    highest, _ = await most_in_use(*(data(built, "{ a: sync b: sync }") for _ in range(2)))

    assert highest == 2


PAIRS = [
    ("rollsBack", "writes"),
    ("rollsBackAsynchronously", "writesAsynchronously"),
    ("rollsBack", "writesAsynchronously"),
    ("rollsBackAsynchronously", "writes"),
]


@pytest.mark.parametrize(("failing", "writing"), PAIRS)
async def test_no_field_ends_up_in_the_transaction_of_another(failing, writing, at_rest):
    result = await schema(Query).execute(f"{{ {failing} {writing} }}")

    assert result.data[failing] is None
    assert [error.message for error in result.errors] == ["rolled back"]
    assert [tag.name async for tag in Tag.objects.all()] == [result.data[writing]]


async def test_blocks_of_one_field_nest(at_rest):
    assert await data(schema(Query), "{ a: nestedBlocks }") == {"a": 1}
    assert [tag.name async for tag in Tag.objects.all()] == ["outer"]


async def test_inside_a_transaction_fields_take_turns_on_its_connection(at_rest):
    async with atomic():
        found = await data(schema(Query), "{ a: sync b: sync c: coroutine rows { backend } }")
        inside = await run_sync(backend)

    assert {found["a"], found["b"], found["c"], *(row["backend"] for row in found["rows"])} == {
        inside
    }


async def test_inside_a_transaction_a_block_of_one_field_holds_nothing_of_another(at_rest):
    async with atomic():
        result = await schema(Query).execute("{ rollsBack writes rows { number } }")
        assert result.data["rollsBack"] is None

    assert [tag.name async for tag in Tag.objects.all()] == ["written"]


async def test_inside_a_transaction_a_field_cannot_open_a_block_across_its_waits(at_rest):
    async with atomic():
        result = await schema(Query).execute("{ rollsBackAsynchronously writes }")

    assert "cannot open a block of its own" in result.errors[0].message
    assert [tag.name async for tag in Tag.objects.all()] == ["written"]


async def test_what_fields_write_inside_a_transaction_is_rolled_back_with_it(at_rest):
    with pytest.raises(LookupError):
        async with atomic():
            await data(schema(Query), "{ a: writes b: writesAsynchronously }")
            assert await Tag.objects.acount() == 2
            raise LookupError

    assert await Tag.objects.acount() == 0


async def test_a_field_that_fails_leaves_no_sibling_behind(at_rest):
    result = await schema(Query).execute("{ slow failsLate }")

    assert [error.message for error in result.errors] == ["late"]


async def test_a_field_that_fails_at_once_leaves_no_sibling_behind(at_rest):
    for _ in range(8):
        result = await schema(Query).execute("{ slow slowCoroutine rows { slow } fails }")
        assert [error.message for error in result.errors] == ["at once"]

    assert await Tag.objects.acount() == 0


CANCELLED = ["{ slow }", "{ a: slow b: slow }", "{ slowCoroutine }", "{ rows { slow } }"]
CANCELLED += ["{ slow slowCoroutine rows { number slow } }"]


@pytest.mark.parametrize("query", CANCELLED)
async def test_a_cancelled_operation_ends_as_one(query, at_rest):
    # One connection is left to look with.
    built = schema(Query, turbo=lambda: TurboExtension(max_connections=3))
    task = asyncio.ensure_future(built.execute(query))
    await until_asleep()

    task.cancel()
    [outcome] = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError)
    assert not await Tag.objects.aexists()
    assert not in_bridge()


@pytest.mark.parametrize("query", CANCELLED)
async def test_an_operation_that_takes_too_long_times_out(query, at_rest):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(schema(Query).execute(query), 0.2)


async def test_operations_that_are_cancelled_anywhere_lose_no_connection(at_rest):
    built = schema(Query)
    for step in range(30):
        task = asyncio.ensure_future(built.execute("{ a: writes rows { backend } nestedBlocks }"))
        await asyncio.sleep(step * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@strawberry.type
class Library:
    articles: list[Article] = turbo.field()


@pytest.mark.parametrize("optimizer", [True, False])
async def test_fifty_operations_at_once_share_a_pool_of_four(optimizer, at_rest):
    for number in range(4):
        author = await Author.objects.acreate(name=f"author{number}")
        article = await ArticleModel.objects.acreate(title=f"title{number}", author=author)
        await article.tags.acreate(name=f"tag{number}")
    built = schema(Library, optimizer=optimizer)
    query = "{ articles { title author { name } tags { name } } }"
    expected = await data(built, query)

    results = await asyncio.gather(*(data(built, query) for _ in range(50)))

    assert all(result == expected for result in results)
    assert pool_stats().size <= 4
