"""An extension that a schema is given as an instance keeps its operations apart."""

import asyncio

import pytest
from strawberry.extensions import SchemaExtension

import strawberry
from tests.testapp.models import Tag
from tests.waiting import FOREVER
from turbo_orm_strawberry import DocumentLimiter, SizeLimiter, TurboExtension

pytestmark = pytest.mark.rolled_back


@strawberry.type
class Query:
    @strawberry.field
    async def waits(self, info: strawberry.Info) -> int:
        info.context["waiting"].set()
        await asyncio.wait_for(info.context["go"].wait(), FOREVER)
        return Tag.objects.count()

    @strawberry.field
    def hello(self) -> str:
        return "hello"

    @strawberry.field
    def again(self) -> "Query":
        return Query()


class Pausing(SchemaExtension):
    """Lets others run between the beginning of an operation and its first hook."""

    async def on_operation(self):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        yield


def schema_of(*extensions):
    with pytest.warns(DeprecationWarning, match="extension instance"):
        return strawberry.Schema(Query, extensions=[Pausing, *extensions])


async def test_the_end_of_one_operation_leaves_the_fields_of_another():
    built = schema_of(TurboExtension())
    context = {"waiting": asyncio.Event(), "go": asyncio.Event()}
    long = asyncio.ensure_future(built.execute("{ waits also: waits }", context_value=context))
    await asyncio.wait_for(context["waiting"].wait(), FOREVER)

    for _ in range(3):
        assert (await built.execute("{ hello }")).data == {"hello": "hello"}
    context["go"].set()

    result = await long
    assert result.errors is None
    assert result.data == {"waits": 0, "also": 0}


DOCUMENTS = {
    "{ hello }": [],
    "{ again { hello } }": ["'anonymous' exceeds maximum operation depth of 0"],
    "{ again { again { hello } } }": ["'anonymous' exceeds maximum operation depth of 0"],
}


async def test_a_guard_judges_each_operation_by_its_own_document():
    built = schema_of(DocumentLimiter(max_depth=0), SizeLimiter(max_nodes=1), TurboExtension())
    documents = [*DOCUMENTS] * 5

    results = await asyncio.gather(*(built.execute(document) for document in documents))

    found = [[error.message for error in result.errors or ()] for result in results]
    assert found == [DOCUMENTS[document] for document in documents]


async def test_each_operation_has_its_own_copy_with_the_same_options():
    extension = TurboExtension(max_connections=2, max_documents=7)
    built = schema_of(extension)

    [_, first], [_, second] = built.get_extensions(), built.get_extensions()

    assert len({id(first), id(second), id(extension)}) == 3
    assert first._operation is not second._operation
    assert (first._max_connections, first._max_documents) == (2, 7)


async def test_a_class_makes_one_for_each_operation_as_before():
    made = []

    class Counted(TurboExtension):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

    built = strawberry.Schema(Query, extensions=[Counted])

    await built.execute("{ hello }")
    await built.execute("{ hello }")

    assert len(made) == 2
