"""What users of django-turbo-orm rely on: every awaited method does what Django's own does.

Each test lets Django's synchronous method answer beside the awaited one.
"""

import django
import pytest
from django.db.models import Count, Max, Min

from tests.testapp.models import Author, Tag
from turbo_orm import AsyncManager, run_sync

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def authors():
    return await Author.objects.abulk_create(
        [Author(name=name, age=age) for name, age in (("a", 3), ("b", 1), ("c", 2), ("d", 2))]
    )


async def rows():
    """The whole table, read by Django's own synchronous code."""
    return await run_sync(lambda: list(Author.objects.order_by("pk").values_list("name", "age")))


async def test_async_for_gives_what_iteration_gives(authors):
    queryset = Author.objects.order_by("-age", "name")

    assert [a async for a in queryset] == await run_sync(list, queryset.all())


async def test_acount_gives_what_count_gives(authors):
    assert await Author.objects.acount() == await run_sync(Author.objects.count) == 4


async def test_acount_of_a_filter_gives_what_count_gives(authors):
    queryset = Author.objects.filter(age=2)

    assert await queryset.acount() == await run_sync(queryset.count) == 2


async def test_aget_gives_what_get_gives(authors):
    found = await Author.objects.aget(name="b", age=1)

    assert found == await run_sync(Author.objects.get, name="b", age=1) == authors[1]


async def test_aget_of_nothing_fails_as_get_does(authors):
    with pytest.raises(Author.DoesNotExist) as awaited:
        await Author.objects.aget(age=9)
    with pytest.raises(Author.DoesNotExist) as synchronous:
        await run_sync(Author.objects.get, age=9)

    assert str(awaited.value) == str(synchronous.value)


async def test_aget_of_several_fails_as_get_does(authors):
    with pytest.raises(Author.MultipleObjectsReturned) as awaited:
        await Author.objects.aget(age=2)
    with pytest.raises(Author.MultipleObjectsReturned) as synchronous:
        await run_sync(Author.objects.get, age=2)

    assert str(awaited.value) == str(synchronous.value)


async def test_acreate_writes_what_create_writes():
    one = await Author.objects.acreate(name="n", age=1)
    other = await run_sync(Author.objects.create, name="n", age=1)

    assert await rows() == [("n", 1), ("n", 1)]
    assert other.pk == one.pk + 1
    assert (one._state.adding, one._state.db) == (other._state.adding, other._state.db)


async def test_aget_or_create_of_a_missing_row_writes_what_get_or_create_writes():
    awaited = await Author.objects.aget_or_create({"age": 1}, name="x")
    synchronous = await run_sync(Author.objects.get_or_create, {"age": 1}, name="y")

    assert await rows() == [("x", 1), ("y", 1)]
    assert (awaited[1], synchronous[1]) == (True, True)


async def test_aget_or_create_of_a_present_row_gives_what_get_or_create_gives(authors):
    awaited = await Author.objects.aget_or_create({"age": 9}, name="a")

    assert awaited == await run_sync(Author.objects.get_or_create, {"age": 9}, name="a")
    assert awaited == (authors[0], False)


async def test_aupdate_or_create_of_a_present_row_writes_what_update_or_create_writes(authors):
    awaited = await Author.objects.aupdate_or_create({"age": 9}, name="a")
    synchronous = await run_sync(Author.objects.update_or_create, {"age": 9}, name="b")

    assert await rows() == [("a", 9), ("b", 9), ("c", 2), ("d", 2)]
    assert (awaited, synchronous) == ((authors[0], False), (authors[1], False))


async def test_aupdate_or_create_of_a_missing_row_writes_what_update_or_create_writes():
    awaited = await Author.objects.aupdate_or_create({"age": 9}, name="x")
    synchronous = await run_sync(Author.objects.update_or_create, {"age": 9}, name="y")

    assert await rows() == [("x", 9), ("y", 9)]
    assert (awaited[1], synchronous[1]) == (True, True)


@pytest.mark.commits
async def test_abulk_create_writes_what_bulk_create_writes():
    awaited = await Author.objects.abulk_create([Author(name="x"), Author(name="y")])
    synchronous = await run_sync(Author.objects.bulk_create, [Author(name="z")])

    assert await rows() == [("x", 0), ("y", 0), ("z", 0)]
    assert [author.pk for author in (*awaited, *synchronous)] == [1, 2, 3]


async def test_abulk_update_gives_and_writes_what_bulk_update_does(authors):
    for author in authors:
        author.age += 10
    awaited = await Author.objects.abulk_update(authors[:2], ["age"])
    synchronous = await run_sync(Author.objects.bulk_update, authors[2:], ["age"])

    assert (awaited, synchronous) == (2, 2)
    assert await rows() == [("a", 13), ("b", 11), ("c", 12), ("d", 12)]


async def test_ain_bulk_gives_what_in_bulk_gives(authors):
    assert await Author.objects.ain_bulk() == await run_sync(Author.objects.in_bulk)


async def test_ain_bulk_of_some_keys_gives_what_in_bulk_gives(authors):
    keys = [authors[0].pk, authors[3].pk, 999]

    awaited = await Author.objects.ain_bulk(keys)

    assert awaited == await run_sync(Author.objects.in_bulk, keys)
    assert list(awaited) == keys[:2]


async def test_afirst_gives_what_first_gives(authors):
    assert await Author.objects.afirst() == await run_sync(Author.objects.first) == authors[0]


async def test_alast_gives_what_last_gives(authors):
    assert await Author.objects.alast() == await run_sync(Author.objects.last) == authors[3]


async def test_aaggregate_gives_what_aggregate_gives(authors):
    wanted = {"n": Count("pk"), "low": Min("age"), "high": Max("age")}

    awaited = await Author.objects.aaggregate(**wanted)

    assert awaited == await run_sync(Author.objects.aggregate, **wanted)
    assert awaited == {"n": 4, "low": 1, "high": 3}


@pytest.mark.parametrize(("age", "expected"), [(2, True), (9, False)])
async def test_aexists_gives_what_exists_gives(authors, age, expected):
    queryset = Author.objects.filter(age=age)

    assert await queryset.aexists() is await run_sync(queryset.exists) is expected


async def test_aupdate_gives_and_writes_what_update_does(authors):
    awaited = await Author.objects.filter(age=2).aupdate(age=20)
    synchronous = await run_sync(Author.objects.filter(age=20).update, name="z")

    assert (awaited, synchronous) == (2, 2)
    assert await rows() == [("a", 3), ("b", 1), ("z", 20), ("z", 20)]


async def test_adelete_gives_and_removes_what_delete_does(authors):
    awaited = await Author.objects.filter(name="a").adelete()
    synchronous = await run_sync(Author.objects.filter(name="b").delete)

    assert awaited == synchronous == (1, {"testapp.Author": 1})
    assert await rows() == [("c", 2), ("d", 2)]


async def test_alist_gives_what_list_gives(authors):
    queryset = Author.objects.order_by("name")

    assert await queryset.alist() == await run_sync(list, queryset.all()) == authors


async def test_chained_filters_give_what_django_gives(authors):
    queryset = Author.objects.filter(age__gte=2).filter(name__lt="d").order_by("name")

    assert await queryset.alist() == await run_sync(list, queryset.all()) == authors[::2]


async def test_exclude_gives_what_django_gives(authors):
    queryset = Author.objects.exclude(age=2).order_by("name")

    assert await queryset.alist() == await run_sync(list, queryset.all()) == authors[:2]


async def test_order_by_gives_what_django_gives(authors):
    queryset = Author.objects.order_by("age", "-name")

    assert await queryset.alist() == await run_sync(list, queryset.all())
    assert [author.name for author in await queryset.alist()] == ["b", "d", "c", "a"]


async def test_a_limit_gives_what_django_gives(authors):
    queryset = Author.objects.order_by("name")

    assert await queryset[:3].alist() == await run_sync(list, queryset[:3]) == authors[:3]


async def test_an_offset_gives_what_django_gives(authors):
    queryset = Author.objects.order_by("name")

    assert await queryset[1:].alist() == await run_sync(list, queryset[1:]) == authors[1:]


def test_the_default_manager_is_ours_and_djangos():
    assert isinstance(Tag._default_manager, AsyncManager)
    assert isinstance(Tag.objects, django.db.models.Manager)


def test_djangos_own_refusal_is_raised_for_a_manager_of_an_instance():
    with pytest.raises(AttributeError) as refused:
        _ = Tag(name="t").objects

    assert str(refused.value) == "Manager isn't accessible via Tag instances"


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        *(("all", ()), ("filter", ()), ("exclude", ()), ("order_by", ("pk",)), ("distinct", ())),
        *(("select_related", (None,)), ("prefetch_related", ()), ("only", ("name",)), ("none", ())),
        *(("defer", ("name",)), ("annotate", ()), ("values", ("name",)), ("reverse", ())),
        *(("values_list", ("name",)), ("using", ("default",)), ("select_for_update", ())),
    ],
)
def test_a_chained_method_gives_a_queryset_of_the_same_class(method, arguments):
    queryset = getattr(Tag.objects, method)(*arguments)

    assert type(queryset) is type(Tag.objects.all())
    assert type(getattr(queryset, method)(*arguments)) is type(queryset)
