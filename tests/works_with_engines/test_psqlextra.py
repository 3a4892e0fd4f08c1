"""psqlextra's engine, manager and upserts give in the bridge what they give in plain Django."""

import asyncio

from psqlextra.query import ConflictAction

from turbo_orm import atomic, run_sync

from .items.models import Item


def work():
    Item.objects.all().delete()
    Item.objects.upsert(conflict_target=["name"], fields={"name": "a", "words": {"de": "eins"}})
    Item.objects.upsert(conflict_target=["name"], fields={"name": "a", "number": 2})
    made = Item.objects.on_conflict(["name"], ConflictAction.UPDATE).insert_and_get(
        name="b", number=3, words={"en": "three"}
    )
    Item.objects.on_conflict(["name"], ConflictAction.NOTHING).bulk_insert(
        [{"name": "b", "number": 9}, {"name": "c", "number": 4}]
    )
    values = Item.objects.order_by("name").values_list("name", "number", "words__en")
    return made.name, [*values], [item.words for item in Item.objects.order_by("name")]


def test_upserts_and_hstores_are_the_same_in_the_bridge(on_loop):
    plain = work()

    assert plain[1] == [("a", 2, None), ("b", 3, "three"), ("c", 4, None)]
    assert on_loop(run_sync(work)) == plain


def test_awaited_queries_give_the_same(on_loop):
    work()
    plain = [item.words for item in Item.objects.order_by("name")]

    async def words():
        return [item.words async for item in Item.objects.order_by("name")]

    async def main():
        async with atomic():
            inside = await words()
        return [inside, *await asyncio.gather(words(), words(), words())]

    assert on_loop(main()) == [plain] * 4
