"""Arguments that change, or are looked at, between a queryset's making and its execution."""

import datetime as dt
import warnings

import django
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from tests.plans import like_django, plans_off, state
from tests.testapp.models import Article, Author, Event, Measure, Place, Reading, Restaurant, Tag
from turbo_orm import clear_plans, plan_stats, run_sync

UTC = dt.timezone.utc
EAST = dt.timezone(dt.timedelta(hours=9), "X")
WEST = dt.timezone(dt.timedelta(hours=-9), "X")
ZONES = [UTC, EAST, WEST, timezone.get_fixed_timezone(197), UTC]


@pytest.fixture
async def authors():
    """Ada with one article, Bob with two, Eve with none."""
    authors = await Author.objects.abulk_create(Author(name=name) for name in ("Ada", "Bob", "Eve"))
    await Article.objects.abulk_create(
        Article(title=title, author=authors[number])
        for title, number in [("a1", 0), ("b1", 1), ("b2", 1)]
    )
    return authors


@pytest.fixture
async def events():
    """One event every six hours of two days."""
    start = dt.datetime(2020, 1, 1, tzinfo=UTC)
    moments = [start + dt.timedelta(hours=6 * number) for number in range(8)]
    return await Event.objects.abulk_create(
        Event(name=f"{at:%d %H}", day=at.date(), at=at) for at in moments
    )


def titles(found):
    return [article.title for article in found]


def naive(hour):
    return dt.datetime(2020, 1, 1, hour)  # noqa: DTZ001 -- a naive one is meant


async def test_instance_counts_as_it_is_when_the_condition_is_written(authors):
    ada, bob, eve = authors
    clear_plans()
    for _ in range(3):
        before = Article.objects.filter(author=ada)
        narrowed, copied = before.filter(title__contains="1"), before.all()
        # Another queryset of this shape makes the plan meanwhile.
        await Article.objects.filter(author=eve).alist()
        await Article.objects.filter(author=eve).filter(title__contains="2").alist()
        ada.pk = bob.pk
        late = before.filter(title__contains="2")
        assert titles(await before.alist()) == ["a1"]
        assert titles(await narrowed.alist()) == ["a1"]
        assert titles(await copied.alist()) == ["a1"]
        assert titles(await before.order_by("-pk").alist()) == ["a1"]
        assert titles(await late.alist()) == []
        ada.pk = 1


async def test_instance_deleted_between_writing_and_executing_counts_as_it_was(authors):
    clear_plans()
    for author in authors:
        tag = await Tag.objects.acreate(name=author.name)
        found = Tag.objects.filter(pk=tag.pk, articles__author=author)
        gone = Article.objects.exclude(author=author)
        await author.adelete()
        assert await found.acount() == 0
        assert author.pk is None
        assert all(article.author_id for article in await gone.alist())


async def test_unsaved_instance_is_refused_as_by_django(authors):
    # Django 4.2 only warns.
    new = Author(name="new") if django.VERSION >= (5, 0) else authors[2]
    cases = [authors[0], new, authors[1], new, None]

    hits = await like_django(lambda v: Article.objects.filter(author=v).alist(), cases)

    assert hits == (4 if django.VERSION >= (5, 0) else 8)


async def test_instance_of_a_wrong_class_is_refused_as_by_django(authors):
    tag = await Tag.objects.acreate(name="x")
    cases = [authors[0], tag, authors[1], Article(pk=1), authors[0]]

    hits = await like_django(lambda v: Article.objects.filter(author=v).alist(), cases)

    assert hits == 5


async def test_lazy_instance_of_a_wrong_class_is_refused_as_by_django(authors):
    tag = await Tag.objects.acreate(name="x")
    cases = [authors[0], tag, authors[1], tag]

    await like_django(
        lambda v: Article.objects.filter(author=SimpleLazyObject(lambda: v)).alist(), cases
    )


async def test_parent_and_child_instances_are_told_apart(authors):
    child = await Restaurant.objects.acreate(name="r", stars=1)
    parent = await Place.objects.aget(pk=child.pk)

    await like_django(
        lambda v: Place.objects.filter(restaurant=v).alist(), [child, parent, child, Place(pk=9)]
    )


async def test_instance_is_read_by_the_field_that_the_relation_names(authors):
    import uuid

    measures = [await Measure.objects.acreate(key=uuid.UUID(int=number)) for number in range(3)]
    for measure in measures:
        await measure.readings.acreate(value=measure.pk)

    hits = await like_django(lambda v: Reading.objects.filter(measure=v).alist(), measures)

    assert hits == 5


async def test_lazy_instance_that_needs_the_database_is_fetched_by_aget(authors):
    for number in (1, 1, 1):
        user = SimpleLazyObject(lambda number=number: Author.objects.get(pk=number))
        assert (await Article.objects.aget(author=user)).title == "a1"


async def test_condition_that_needs_a_content_type_is_written_by_aget(authors):
    await Article.objects.filter(title="b2").adelete()
    for _ in range(3):
        await run_sync(ContentType.objects.clear_cache)
        assert (await Article.objects.aget(~Q(comments__text="x"), author=1)).title == "a1"


async def test_lists_and_sets_are_read_when_the_condition_is_written(authors):
    clear_plans()
    for _ in range(3):
        keys, names = [1, 2], {"Ada"}
        found = Author.objects.filter(pk__in=keys)
        named = Author.objects.filter(name__in=names)
        keys[:] = [3, 3]
        names.clear()
        assert [author.pk for author in await found.order_by("pk").alist()] == [1, 2]
        assert [author.pk for author in await named.alist()] == [1]


async def test_changed_document_counts_when_django_reads_it(authors):
    async def work(number):
        document = {"n": number}
        found = Article.objects.filter(metadata__contains=document)
        document["n"] = 5
        return await found.acount()

    await Article.objects.aupdate(metadata={"n": 5})
    await like_django(work, [1, 2, 5])


async def test_conditions_object_can_be_changed_after_its_use(authors):
    clear_plans()
    for _ in range(3):
        condition = Q(name="Ada")
        found = Author.objects.filter(condition)
        condition.children.append(("name", "Bob"))
        condition.negate()
        assert [author.name for author in await found.alist()] == ["Ada"]


@pytest.mark.parametrize("zones", [ZONES, ZONES[::-1]])
async def test_each_use_heeds_the_current_time_zone(events, zones):
    works = [
        lambda v: Event.objects.filter(at__date=dt.date(2020, 1, 1)).alist(),
        lambda v: Event.objects.filter(at__year=2019).alist(),
        lambda v: Event.objects.filter(at__gte=naive(5)).values_list("name").alist(),
        lambda v: Event.objects.filter(at__day=2).acount(),
        lambda v: Event.objects.datetimes("at", "day", order="DESC").alist(),
        lambda v: Event.objects.exclude(Q(at__hour=9) | Q(at__hour=v[1])).alist(),
    ]
    for work in works:
        for number, zone in enumerate(zones):
            with timezone.override(zone):
                await like_django(work, [(zone, 3), (zone, 15)], keep=number > 0)


async def test_naive_instant_is_of_the_zone_in_which_the_condition_was_written(events):
    async def work(zone):
        with timezone.override(zone), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            first = Event.objects.filter(at__lt=naive(12))
        with timezone.override(EAST), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            await Event.objects.filter(at__lt=naive(12)).alist()
            return await first.alist(), await first.order_by("at").alist()

    await like_django(work, ZONES)


async def test_naive_instant_is_warned_of_once_and_when_the_condition_is_written(events):
    clear_plans()
    for end in range(4):
        with pytest.warns(RuntimeWarning, match="received a naive datetime") as caught:
            found = Event.objects.filter(at__lt=naive(12))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(await found.alist()) == 3
            # An end that has no plan, for which the query is built.
            assert await found.extra(where=["1=1"])[:end].acount() == min(end, 3)
        assert len(caught) == 1


async def test_queryset_kept_from_before_the_plans_were_cleared_is_still_right(authors):
    kept = Author.objects.filter(name__startswith="A")
    for _ in range(3):
        assert [author.name async for author in kept.all()] == ["Ada"]
        assert await kept.filter(age=0).acount() == 1
        clear_plans()


async def test_querysets_kept_from_before_the_plans_were_cleared_get_plans_again(authors):
    kept = Author.objects.filter(name__startswith="A")
    await kept.all().alist()
    for _ in range(3):
        clear_plans()
        for _ in range(4):
            assert await kept.filter(age=0).acount() == 1
        assert plan_stats().hits == 3


@pytest.mark.parametrize("arguments", [("name", str), ("name", int), ("x",), (1,), (("name",),)])
async def test_nonsense_is_refused_as_by_django_also_where_its_key_looks_like_anothers(arguments):
    await like_django(lambda v: Author.objects.filter(name=v).alist(), ["a", "b"])

    await like_django(lambda v: Author.objects.filter(*arguments).alist(), [1, 2], keep=True)


async def test_values_of_one_type_for_another_make_no_wrong_hit(authors):
    kinds = [1, "1", 1.0, True, None, b"1", dt.date(2020, 1, 1), [1], (1,), {1}, {"a": 1}, 1j]

    await like_django(lambda v: Author.objects.filter(age=v).alist(), [*kinds, *kinds])
    await like_django(lambda v: Author.objects.filter(name=v).alist(), [*kinds, *kinds])
    await like_django(lambda v: Article.objects.filter(metadata=v).alist(), [*kinds, *kinds])


async def test_results_share_nothing(authors):
    clear_plans()
    first, second, third = [
        await Article.objects.select_related("author").filter(author=1).alist() for _ in range(3)
    ]

    assert first[0] is not second[0]
    assert second[0].metadata is not third[0].metadata
    second[0].metadata["a"] = second[0].author.name = "changed"
    with plans_off():
        expected = await Article.objects.select_related("author").filter(author=1).alist()
    assert state(third) == state(expected)
