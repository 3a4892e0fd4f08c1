"""Views that say whose items they see, and in which order."""

import asyncio

from django.db import connection, transaction
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path

import strawberry
from tests.works_with_engines.tenants_items.models import Item
from turbo_orm import atomic, run_sync


def seen():
    return [*Item.objects.order_by("number").values_list("owner", "number")]


async def direct(request):
    rows = [(item.owner, item.number) async for item in Item.awaited.order_by("number")]
    assert await Item.awaited.filter(owner=rows[0][0]).acount() == len(rows)
    return JsonResponse({"seen": rows})


async def plain_manager(request):
    rows = Item.objects.order_by("number").values_list("owner", "number")
    return JsonResponse({"seen": [row async for row in rows]})


async def gathered(request):
    page, count, first = await asyncio.gather(
        Item.awaited.order_by("number").alist(),
        Item.awaited.acount(),
        Item.awaited.aget(number=0),
    )
    assert (count, first) == (len(page), page[0])
    return JsonResponse({"seen": [(item.owner, item.number) for item in page]})


async def streamed(request):
    async def lines():
        async for item in Item.awaited.order_by("number").aiterator(chunk_size=1):
            await asyncio.sleep(0)
            yield f"{item.owner} {item.number}\n"

    return StreamingHttpResponse(lines())


def synchronous(request):
    return JsonResponse({"seen": seen()})


def synchronous_stream(request):
    rows = Item.objects.order_by("number").iterator(chunk_size=1)
    return StreamingHttpResponse(f"{item.owner} {item.number}\n" for item in rows)


class Undo(Exception):
    pass


async def rolled_back(request):
    try:
        async with atomic():
            await Item.awaited.acreate(owner="nobody", number=7)
            try:
                async with atomic():
                    await Item.awaited.all().adelete()
                    raise Undo
            except Undo:
                assert await Item.awaited.acount() == 4
            raise Undo
    except Undo:
        return JsonResponse({"seen": await run_sync(seen)})


def synchronous_rolled_back(request):
    try:
        with transaction.atomic():
            Item.objects.all().delete()
            raise Undo
    except Undo:
        return JsonResponse({"seen": seen()})


@strawberry.type
class Row:
    owner: str
    number: int


@strawberry.type
class Query:
    @strawberry.field
    async def page(self) -> list[Row]:
        items = Item.awaited.order_by("number")
        return [Row(owner=item.owner, number=item.number) async for item in items]

    @strawberry.field
    async def count(self) -> int:
        return await Item.awaited.acount()

    @strawberry.field
    async def owner(self) -> str:
        return (await run_sync(seen))[0][0]

    @strawberry.field
    def tenant(self) -> str:
        return connection.schema_name


SCHEMA = strawberry.Schema(Query)


async def graphql(request):
    page = "page { owner number }"
    result = await SCHEMA.execute(f"{{ {page} count owner tenant again: {page} }}")
    assert result.errors is None
    data = result.data
    rows = [(row["owner"], row["number"]) for row in data["page"]]
    assert (data["count"], data["owner"], data["again"]) == (3, data["tenant"], data["page"])
    return JsonResponse({"seen": rows})


VIEWS = {
    view.__name__: view
    for view in (
        *(direct, plain_manager, gathered, streamed, rolled_back, graphql),
        *(synchronous, synchronous_stream, synchronous_rolled_back),
    )
}
urlpatterns = [path(name, view) for name, view in VIEWS.items()]
