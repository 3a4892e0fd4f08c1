"""What a chain that begins at `AsyncManager()` gives."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator
from typing import Any

from django.db.models import Count, Max, Q
from typing_extensions import assert_type

from articles.models import Article, Author, Tag
from turbo_orm import AsyncManager, AsyncQuerySet, AsyncRawQuerySet


async def lazily() -> None:
    assert_type(Author.objects, AsyncManager[Author])
    assert_type(Author.objects.all(), AsyncQuerySet[Author])
    assert_type(Author.objects.filter(Q(name="Ada"), pk__gt=1), AsyncQuerySet[Author])
    assert_type(Author.objects.exclude(name="").filter(pk=1), AsyncQuerySet[Author])
    assert_type(Author.objects.order_by("-name").reverse().distinct(), AsyncQuerySet[Author])
    assert_type(Author.objects.select_related(None), AsyncQuerySet[Author])
    assert_type(Author.objects.prefetch_related("articles__tags"), AsyncQuerySet[Author])
    assert_type(Author.objects.only("name").defer(None), AsyncQuerySet[Author])
    assert_type(Author.objects.none() | Author.objects.all(), AsyncQuerySet[Author])
    assert_type(Author.objects.union(Author.objects.all()), AsyncQuerySet[Author])
    assert_type(Author.objects.using("other").select_for_update(), AsyncQuerySet[Author])
    assert_type(Author.objects.all()[:10], AsyncQuerySet[Author])
    assert_type(Author.objects.db_manager("other").all(), AsyncQuerySet[Author])
    assert_type(Author.objects.raw("select 1"), AsyncRawQuerySet[Author])


async def rows() -> None:
    assert_type(await Author.objects.alist(), list[Author])
    assert_type(await Author.objects.filter(pk=1).order_by("-id")[:10].alist(), list[Author])
    assert_type([author async for author in Author.objects.all()], list[Author])
    assert_type(Author.objects.aiterator(), AsyncGenerator[Author, None])
    assert_type(Author.objects.filter(pk=1).aiterator(100), AsyncGenerator[Author, None])
    assert_type(await Author.objects.araw("select %s", ["1"]), list[Author])
    assert_type(await Author.objects.raw("select 1").alist(), list[Author])
    assert_type([author async for author in Author.objects.raw("select 1")], list[Author])


async def values() -> None:
    names = Author.objects.filter(pk=1).values_list("name", flat=True)
    assert_type(await names.alist(), list[str])
    assert_type(await names.order_by("name").afirst(), str | None)
    assert_type(await Author.objects.values_list("pk", "name").alist(), list[tuple[int, str]])
    named = await Author.objects.values_list("name", named=True).alist()
    assert_type(named[0].name, str)
    dictionaries = await Author.objects.values("pk", "name").alist()
    assert_type(dictionaries[0]["name"], str)
    async for row in Author.objects.filter(pk=1).values("name"):
        assert_type(row["name"], str)
    assert_type(await Article.objects.dates("published_at", "day").alist(), list[datetime.date])
    hours = Article.objects.filter(pk=1).datetimes("published_at", "hour")
    assert_type(await hours.alist(), list[datetime.datetime])
    assert_type(await Author.objects.extra(select={"one": "1"}).alist(), list[Any])


async def annotated() -> None:
    counted = Author.objects.annotate(written=Count("articles")).filter(written__gt=1)
    authors = await counted.order_by("-written").alist()
    assert_type(authors[0].written, int)
    assert_type(authors[0].name, str)
    async for author in counted:
        assert_type(author.written, int)
    plain: list[Author] = [*authors]
    assert_type(plain, list[Author])


async def single() -> None:
    assert_type(await Author.objects.aget(pk=1), Author)
    assert_type(await Author.objects.afirst(), Author | None)
    assert_type(await Author.objects.filter(pk=1).alast(), Author | None)
    assert_type(await Author.objects.alatest("pk"), Author)
    assert_type(await Author.objects.acount(), int)
    assert_type(await Author.objects.filter(pk=1).aexists(), bool)
    assert_type(await Author.objects.all().acontains(Author()), bool)
    assert_type(await Author.objects.aaggregate(Max("pk")), dict[str, Any])
    assert_type(await Author.objects.ain_bulk([1, 2]), dict[Any, Author])
    assert_type(await Author.objects.aexplain(), str)


async def written() -> None:
    assert_type(await Tag.objects.acreate(name="sea"), Tag)
    assert_type(await Tag.objects.aget_or_create(name="sea"), tuple[Tag, bool])
    assert_type(await Tag.objects.aupdate_or_create(name="sea"), tuple[Tag, bool])
    assert_type(await Tag.objects.abulk_create([Tag(name="sea")]), list[Tag])
    assert_type(await Tag.objects.abulk_update([Tag(name="sea")], ["name"]), int)
    assert_type(await Tag.objects.aupdate(name="sea"), int)
    assert_type(await Tag.objects.adelete(), tuple[int, dict[str, int]])
    assert_type(await Tag.objects.filter(pk=1).adelete(), tuple[int, dict[str, int]])
