"""Reading through querysets: every terminal, every option, Django's own answers."""

import datetime as dt
import inspect
import operator
import pickle

import django
import pytest
from django.db import NotSupportedError, connection, models, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Article, Author, Event, Tag
from turbo_orm import AsyncQuerySet, atomic, portal, run_sync

pytestmark = pytest.mark.rolled_back

UTC = dt.timezone.utc


@pytest.fixture
async def articles():
    """Ada wrote one, two and three; Bob wrote four and five."""
    ada, bob = await Author.objects.abulk_create([Author(name="Ada"), Author(name="Bob", age=5)])
    return await Article.objects.abulk_create(
        [
            Article(title=title, author=ada if views < 4 else bob, views=views)
            for views, title in enumerate(("one", "two", "three", "four", "five"), start=1)
        ]
    )


@pytest.fixture
async def events():
    """New year 2020, a day in March 2020, new year 2021."""
    days = {"a": dt.date(2020, 1, 1), "b": dt.date(2020, 3, 4), "c": dt.date(2021, 1, 1)}
    return await Event.objects.abulk_create(
        [
            Event(name=name, day=day, at=dt.datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
            for name, day in days.items()
        ]
    )


AWAITABLE = sorted(name for name in dir(QuerySet) if name[0] == "a" and hasattr(QuerySet, name[1:]))


def titles(found):
    return [article.title for article in found]


@pytest.mark.parametrize("name", AWAITABLE)
def test_each_terminal_has_djangos_signature(name):
    def parameters(owner):
        return list(inspect.signature(getattr(owner, name)).parameters)

    assert parameters(AsyncQuerySet) == parameters(QuerySet)


def test_every_awaitable_method_of_djangos_queryset_is_ours():
    djangos = {
        name for name in AWAITABLE if getattr(AsyncQuerySet, name) is getattr(QuerySet, name)
    }

    assert djangos == set()


async def test_alist_fetches_once_and_caches(articles):
    queryset = Article.objects.all()

    with CaptureQueriesContext(connection) as queries:
        first, second = await queryset.alist(), await queryset.alist()

    assert len(queries) == 1
    assert first == second
    assert first[0] is second[0]
    assert first is not second


async def test_async_for_fetches_once_and_caches(articles):
    queryset = Article.objects.all()

    with CaptureQueriesContext(connection) as queries:
        first = [article async for article in queryset]
        second = [article async for article in queryset]

    assert len(queries) == 1
    assert [a is b for a, b in zip(first, second, strict=True)] == [True] * 5


async def test_a_fetched_queryset_can_be_used_synchronously_on_the_loop(articles):
    queryset = Article.objects.all()
    fetched = await queryset.alist()

    assert list(queryset) == fetched
    assert (len(queryset), bool(queryset), queryset[1]) == (5, True, fetched[1])


async def test_acount_heeds_joins_distinct_and_slices(articles):
    of_ada = Author.objects.filter(articles__title__contains="o")

    assert await of_ada.acount() == 3
    assert await of_ada.distinct().acount() == 2
    assert await Article.objects.all()[1:3].acount() == 2


async def test_aaggregate_heeds_distinct_and_slices(articles):
    authors = Article.objects.order_by("author").values("author").distinct()

    assert await authors.aaggregate(n=Count("author")) == {"n": 2}
    assert await Article.objects.order_by("views")[:2].aaggregate(models.Sum("views")) == {
        "views__sum": 3
    }


async def test_acontains_tells_whether_an_instance_is_among_the_rows(articles):
    assert await Article.objects.filter(views__lt=3).acontains(articles[0]) is True
    assert await Article.objects.filter(views__lt=3).acontains(articles[4]) is False


async def test_aearliest_and_alatest_heed_meta_and_given_fields(events):
    assert (await Event.objects.aearliest()).name == "a"
    assert (await Event.objects.alatest()).name == "c"
    assert (await Event.objects.aearliest("-day")).name == "c"
    assert (await Event.objects.alatest("day", "name")).name == "c"


async def test_aearliest_of_nothing_raises_does_not_exist():
    with pytest.raises(Event.DoesNotExist):
        await Event.objects.aearliest()


async def test_afirst_and_alast_heed_the_ordering_of_meta(events):
    assert (await Event.objects.afirst()).name == "c"
    assert (await Event.objects.alast()).name == "a"


async def test_aexplain_takes_a_format_and_options(articles):
    plan = await Article.objects.filter(pk=1).aexplain()
    as_json = await Article.objects.aexplain(format="json", analyze=True)

    assert "testapp_article" in plan
    assert "Actual Rows" in as_json


async def test_aget_heeds_conditions_and_prefetches(articles):
    with CaptureQueriesContext(connection) as queries:
        ada = await Author.objects.prefetch_related("articles").aget(Q(name="Ada") | Q(name="Eve"))

    assert len(queries) == 2
    assert titles(ada._prefetched_objects_cache["articles"]) == ["one", "two", "three"]


async def test_ain_bulk_takes_another_unique_field(events):
    found = await Event.objects.ain_bulk(["b", "none"], field_name="name")

    assert found == {"b": events[1]}


async def test_values_gives_dictionaries(articles):
    rows = Article.objects.filter(views__gt=3).values("title", name=F("author__name"))

    assert await rows.alist() == [
        {"title": "four", "name": "Bob"},
        {"title": "five", "name": "Bob"},
    ]


async def test_values_list_gives_tuples_flat_values_or_named_tuples(articles):
    few = Article.objects.filter(views__lt=3)
    named = [row async for row in few.values_list("title", "views", named=True)]

    assert await few.values_list("title", "views").alist() == [("one", 1), ("two", 2)]
    assert await few.values_list("title", flat=True).alist() == ["one", "two"]
    assert [(row.title, row.views, type(row).__name__) for row in named] == [
        ("one", 1, "Row"),
        ("two", 2, "Row"),
    ]


async def test_only_and_defer_load_each_column_into_its_field(articles):
    only = await Article.objects.only("views").aget(title="two")
    deferred = await Article.objects.defer("metadata", "created").aget(title="two")

    assert (only.views, only.get_deferred_fields() >= {"title", "author_id"}) == (2, True)
    assert (deferred.title, deferred.views) == ("two", 2)
    assert deferred.get_deferred_fields() == {"metadata", "created"}


async def test_annotate_groups_and_gives_attributes(articles):
    authors = Author.objects.annotate(n=Count("articles")).filter(n__gt=0).order_by("n")

    assert [(author.name, author.n) async for author in authors] == [("Bob", 2), ("Ada", 3)]


async def test_subquery_exists_f_and_q_work_as_in_django(articles):
    newest = Article.objects.filter(author=OuterRef("pk")).order_by("-views").values("title")[:1]
    authors = (
        Author.objects.annotate(newest=Subquery(newest))
        .filter(Exists(Article.objects.filter(author=OuterRef("pk"), views__gt=F("author__age"))))
        .filter(~Q(name="Bob"))
    )

    assert [(author.name, author.newest) async for author in authors] == [("Ada", "three")]


async def test_union_intersection_and_difference_combine_querysets(articles):
    low, high = Article.objects.filter(views__lt=4), Article.objects.filter(views__gt=2)

    assert titles(await low.union(high).order_by("views").alist()) == titles(articles)
    assert titles(await low.intersection(high).alist()) == ["three"]
    assert titles(await low.difference(high).order_by("views").alist()) == ["one", "two"]
    assert await low.union(high).acount() == 5


@pytest.mark.parametrize("operator", [operator.or_, operator.xor], ids=["or", "xor"])
@pytest.mark.parametrize("where", [lambda awaitable: awaitable, portal], ids=["outside", "bridge"])
async def test_a_slice_combined_with_a_queryset_can_be_awaited(articles, operator, where):
    def combined():
        # Django makes the result by the base manager, which is a plain one.
        return operator(Article.objects.order_by("id")[:2], Article.objects.filter(views__gte=2))

    async def found():
        queryset = combined()
        return await queryset.order_by("id").alist(), await queryset.acount()

    expected = await run_sync(lambda: (list(combined().order_by("id")), combined().count()))
    assert await where(found()) == expected
    assert expected[1] == {"or_": 5, "xor": 4}[operator.__name__]


async def test_select_for_update_locks_inside_a_block(articles):
    async with atomic():
        with CaptureQueriesContext(connection) as queries:
            locked = await Article.objects.select_for_update(of=("self",)).alist()

    assert locked == articles
    assert 'FOR UPDATE OF "testapp_article"' in queries[0]["sql"]


@pytest.mark.commits
async def test_select_for_update_outside_a_block_raises_as_in_django(articles):
    with pytest.raises(
        transaction.TransactionManagementError,
        match="select_for_update cannot be used outside of a transaction",
    ):
        await Article.objects.select_for_update().alist()


async def test_dates_and_datetimes_give_truncated_values(events):
    assert await Event.objects.dates("day", "year").alist() == [
        dt.date(2020, 1, 1),
        dt.date(2021, 1, 1),
    ]
    assert await Event.objects.datetimes("at", "month", order="DESC", tzinfo=UTC).alist() == [
        dt.datetime(2021, 1, 1, tzinfo=UTC),
        dt.datetime(2020, 3, 1, tzinfo=UTC),
        dt.datetime(2020, 1, 1, tzinfo=UTC),
    ]


async def test_reverse_turns_the_order_round(events):
    assert [event.name async for event in Event.objects.reverse()] == ["a", "b", "c"]


@pytest.mark.parametrize("empty", [Article.objects.none(), Article.objects.filter(pk__in=[])])
async def test_what_can_match_nothing_gives_no_rows_and_asks_no_database(articles, empty):
    with CaptureQueriesContext(connection) as queries:
        answers = (
            await empty.all().alist(),
            [row async for row in empty.all()],
            await empty.acount(),
            await empty.aexists(),
            await empty.afirst(),
            await empty.aupdate(views=0),
            await empty.ain_bulk([1]),
        )

    assert answers == ([], [], 0, False, None, 0, {})
    assert len(queries) == 0


async def test_a_slice_with_a_step_is_a_list_of_a_fetched_queryset(articles):
    queryset = Article.objects.all()
    sliced = await run_sync(lambda: queryset[::2])

    assert titles(sliced) == ["one", "three", "five"]


@pytest.mark.commits
async def test_using_asks_the_other_database(articles):
    await Author.objects.using("other").acreate(name="Otto")

    assert [a.name async for a in Author.objects.using("other").all()] == ["Otto"]
    assert [a.name async for a in Author.objects.order_by("pk")] == ["Ada", "Bob"]
    assert (await Author.objects.using("other").aget())._state.db == "other"


class ReadsElsewhere:
    """Reads tags from the other database, writes them to the default one."""

    def db_for_read(self, model, **hints):
        return "other" if model is Tag else None

    def db_for_write(self, model, **hints):
        return "default" if model is Tag else None


@pytest.mark.commits
@override_settings(DATABASE_ROUTERS=[ReadsElsewhere()])
async def test_a_router_chooses_the_database_of_reads_and_writes():
    await Tag.objects.acreate(name="written")
    await Tag.objects.using("other").acreate(name="read")

    assert [tag.name async for tag in Tag.objects.all()] == ["read"]
    assert (await Tag.objects.aget()).name == "read"
    assert await Tag.objects.using("default").values_list("name", flat=True).alist() == ["written"]


async def test_aiterator_prefetches_for_each_chunk(articles):
    with CaptureQueriesContext(connection) as queries:
        rows = Article.objects.prefetch_related("author").aiterator(chunk_size=2)
        found = [(article.title, article.author.name) async for article in rows]

    assert found[2:4] == [("three", "Ada"), ("four", "Bob")]
    assert len([q for q in queries if "testapp_author" in q["sql"]]) == 3


async def test_aiterator_refuses_a_chunk_size_of_zero():
    with pytest.raises(ValueError, match="Chunk size must be strictly positive"):
        [article async for article in Article.objects.aiterator(chunk_size=0)]


async def test_nested_prefetch_with_a_queryset_and_an_attribute(articles):
    few = Prefetch("articles", Article.objects.filter(views__gt=2), to_attr="popular")
    authors = await Author.objects.prefetch_related(few, "popular__tags").order_by("pk").alist()

    assert [titles(author.popular) for author in authors] == [["three"], ["four", "five"]]


@pytest.mark.skipif(django.VERSION < (6, 1), reason="fetch modes came with Django 6.1")
async def test_a_fetch_mode_is_honoured(articles):
    from django.core.exceptions import FieldFetchBlocked

    peers = await Article.objects.fetch_mode(models.FETCH_PEERS).alist()
    refusing = await Article.objects.fetch_mode(models.FETCH_RAISE).afirst()

    with CaptureQueriesContext(connection) as queries:
        await peers[0].afetch("author")
        found = [article.author.name for article in peers]

    assert found == ["Ada", "Ada", "Ada", "Bob", "Bob"]
    assert len(queries) == 1
    with pytest.raises(FieldFetchBlocked):
        await refusing.afetch("author")


async def test_a_queryset_can_be_pickled_with_its_rows(articles):
    queryset = Article.objects.filter(views__lt=3)
    await queryset.alist()

    copy = pickle.loads(pickle.dumps(queryset))

    assert type(copy) is type(queryset)
    assert titles(list(copy)) == ["one", "two"]


async def test_a_pickled_query_can_be_executed_again(articles):
    copy = Article.objects.all()
    copy.query = pickle.loads(pickle.dumps(Article.objects.filter(views=4).query))

    assert titles(await copy.alist()) == ["four"]


async def test_instances_can_be_pickled(articles):
    article = await Article.objects.aget(title="one")

    assert pickle.loads(pickle.dumps(article)) == article


async def test_a_clone_method_that_somebody_wrapped_is_still_called(articles, monkeypatch):
    original, seen = QuerySet._clone, []

    def wrapped(self):
        seen.append(self.model)
        return original(self)

    monkeypatch.setattr(QuerySet, "_clone", wrapped)
    await Article.objects.filter(views=1).alist()

    assert set(seen) == {Article}


async def test_a_fetch_method_that_somebody_replaced_is_still_called(articles):
    class Marked(AsyncQuerySet):
        def _fetch_all(self):
            super()._fetch_all()
            self._result_cache = [f"<{row.title}>" for row in self._result_cache]

    assert await Marked(Article).filter(views=1).alist() == ["<one>"]


async def test_a_filter_after_a_union_raises_djangos_error(articles):
    with pytest.raises(NotSupportedError):
        await Article.objects.filter(views=1).union(Article.objects.all()).filter(views=2).alist()
