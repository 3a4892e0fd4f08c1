"""Types that contrib.postgres registers on each connection, through connections of the pool."""

import asyncio
import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from psycopg.types.range import Range, TimestamptzRange

from tests.testapp.models import Article, Author, Ranged, Special, Word
from turbo_orm import atomic, close_pools, run_sync

pytestmark = pytest.mark.rolled_back

UTC = dt.timezone.utc
RANGES = {
    "whole": Range(1, 5),
    "big": Range(1, 2**40),
    "decimal": Range(Decimal("1.5"), Decimal("2.5")),
    "days": Range(dt.date(2020, 1, 1), dt.date(2020, 2, 1)),
    "times": TimestamptzRange(
        dt.datetime(2020, 1, 1, tzinfo=UTC), dt.datetime(2020, 1, 2, tzinfo=UTC)
    ),
}


async def test_hstore_comes_back_as_a_dictionary():
    await Special.objects.acreate(attributes={"a": "1", "b": None})

    assert (await Special.objects.aget(attributes__a="1")).attributes == {"a": "1", "b": None}


async def test_an_array_comes_back_as_a_list():
    await Special.objects.acreate(numbers=[3, 1, 2])

    found = await Special.objects.aget(numbers__contains=[1], numbers__len=3)
    assert found.numbers == [3, 1, 2]


@pytest.mark.parametrize("field", RANGES)
async def test_a_range_comes_back_as_a_range(field):
    await Ranged.objects.acreate(**{field: RANGES[field]})

    found = await Ranged.objects.aget(**{f"{field}__contained_by": RANGES[field]})
    value = getattr(found, field)
    assert (value.lower, value.upper, value.bounds) == (
        *(RANGES[field].lower, RANGES[field].upper),
        "[)",
    )


async def test_citext_compares_without_case_and_comes_back_as_written():
    await Word.objects.acreate(text="Straße", variants=["Weg", "WEG"])

    found = await Word.objects.aget(text="sTRAßE", variants__contains=["weg"])
    assert (found.text, found.variants) == ("Straße", ["Weg", "WEG"])


@pytest.mark.commits
async def test_every_connection_of_the_pool_knows_the_types():
    await Special.objects.acreate(attributes={"a": "1"}, numbers=[1])
    await Word.objects.acreate(text="w", variants=["v"])

    inside, all_inside = [], asyncio.Event()

    async def read():
        async with atomic():
            inside.append(1)
            if len(inside) == 4:
                all_inside.set()
            await all_inside.wait()
            special, word = await Special.objects.aget(), await Word.objects.aget()
            pid = await run_sync(lambda: connection.connection.info.backend_pid)
            return pid, special.attributes, special.numbers, word.variants

    answers = await asyncio.gather(*(read() for _ in range(4)))

    assert len({pid for pid, *_ in answers}) == 4
    assert [tuple(answer) for _, *answer in answers] == [({"a": "1"}, [1], ["v"])] * 4


async def test_a_pool_opened_again_knows_the_types():
    await Special.objects.acreate(attributes={"a": "1"})
    await close_pools()

    assert await Special.objects.values_list("attributes", flat=True).alist() == [{"a": "1"}]


async def test_a_json_value_comes_back_as_written():
    ada = await Author.objects.acreate(name="Ada")
    value = {"deep": [1, 2.5, None, {"x": "ü"}]}
    await Article.objects.acreate(title="t", author=ada, metadata=value)

    found = await Article.objects.aget(metadata__deep__3__x="ü")
    assert found.metadata == value
    assert await Article.objects.values_list("metadata__deep__0", flat=True).aget() == 1


async def test_aggregates_of_postgresql_give_python_values():
    ada = await Author.objects.acreate(name="Ada")
    await Article.objects.abulk_create([Article(title=t, author=ada) for t in ("b", "a")])

    found = await Author.objects.aaggregate(titles=ArrayAgg("articles__title"))

    assert sorted(found["titles"]) == ["a", "b"]


async def test_a_moment_comes_back_aware_in_utc():
    ada = await Author.objects.acreate(name="Ada")
    await Article.objects.acreate(title="t", author=ada)

    created = await Article.objects.values_list("created", flat=True).aget()
    assert created.utcoffset() == dt.timedelta(0)
