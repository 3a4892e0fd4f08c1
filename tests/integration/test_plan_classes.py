"""Querysets of a project's own classes, of relations, of other databases, copied and shared."""

import asyncio
import copy
import pickle

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldError
from django.db import connections
from django.db.models import Count, F, Prefetch, Q
from django.db.models.query import ModelIterable
from django.db.models.sql import Query
from django.test import override_settings

from tests.plans import like_django, plans_off, state
from tests.testapp.models import (
    Article,
    Author,
    Comment,
    Friendship,
    Person,
    Plain,
    Profile,
    Tag,
)
from turbo_orm import AsyncManager, AsyncQuerySet, atomic, clear_plans, plan_stats, portal, run_sync
from turbo_orm.query.recorded import DEFERRED


@pytest.fixture
async def rows():
    """Three authors with as many articles as their number, and a tag for each."""
    authors = await Author.objects.abulk_create(
        Author(name=name, age=number) for number, name in enumerate("abc", start=1)
    )
    articles = await Article.objects.abulk_create(
        Article(title=f"{author.name}{number}", author=author, views=number)
        for author in authors
        for number in range(author.age)
    )
    tags = await Tag.objects.abulk_create(Tag(name=name) for name in "xyz")
    for number, article in enumerate(articles):
        await article.tags.aadd(tags[number % 3], tags[0])
    await Profile.objects.acreate(author=authors[0], bio="bio")
    kind = await run_sync(ContentType.objects.get_for_model, Article)
    await Comment.objects.abulk_create(
        Comment(text=article.title, content_type=kind, object_id=article.pk) for article in articles
    )


class Overriding(AsyncQuerySet):
    """Does a bit more than Django in every method that Django lets a project override."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.noted = []

    def _clone(self):
        clone = super()._clone()
        clone.noted = [*self.noted, "clone"]
        return clone

    def filter(self, *args, **kwargs):
        return super().filter(*args, **kwargs).exclude(age=3)

    def get(self, *args, **kwargs):
        return super().get(*args, **kwargs), "got"

    def count(self):
        return super().count() + 100

    def order_by(self, *names):
        return super().order_by(*names, "-name")


class Chained(AsyncQuerySet):
    def _chain(self, **kwargs):
        made = super()._chain(**kwargs)
        made.links = getattr(self, "links", 0) + 1
        return made

    async def alist(self):
        return await super().alist(), self.links


class Translating(AsyncQuerySet):
    def _filter_or_exclude(self, negate, args, kwargs):
        return super()._filter_or_exclude(negate, (*args, Q(age__lt=3)), kwargs)


class TranslatingInPlace(AsyncQuerySet):
    def _filter_or_exclude_inplace(self, negate, args, kwargs):
        return super()._filter_or_exclude_inplace(negate, args, {**kwargs, "age__lt": 3})


class Sliced(AsyncQuerySet):
    def __getitem__(self, key):
        return super().__getitem__(slice(1, 2) if key == slice(None, 1) else key)


class Fetching(AsyncQuerySet):
    def _fetch_all(self):
        super()._fetch_all()
        self._result_cache = self._result_cache[:1]


class Shouting(ModelIterable):
    def __iter__(self):
        for author in super().__iter__():
            author.name = author.name.upper()
            yield author


class Iterating(AsyncQuerySet):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._iterable_class = Shouting


class Between:
    """Comes before ours in the order of classes, and after it in that of calls."""

    def annotate(self, *args, **kwargs):
        return super().annotate(*args, **kwargs).filter(age__gt=1)


class Mixed(Between, AsyncQuerySet):
    pass


class Asking(AsyncQuerySet):
    def exclude(self, *args, **kwargs):
        made = super().exclude(*args, **kwargs)
        made.query.add_q(Q(age__gt=1))
        return made


CLASSES = (
    *(AsyncQuerySet, Overriding, Chained, Translating, TranslatingInPlace, Sliced, Fetching),
    *(Iterating, Mixed, Asking),
)
WORKS = {
    "filter": lambda root, v: root.filter(name__gte=v).alist(),
    "get": lambda root, v: root.aget(name=v),
    "first": lambda root, v: root.filter(name__gte=v).order_by("age").afirst(),
    "last": lambda root, v: root.exclude(name=v).alast(),
    "count": lambda root, v: root.filter(name__gte=v).acount(),
    "annotate": lambda root, v: root.annotate(n=Count("articles")).filter(n__gt=len(v)).alist(),
    "slice": lambda root, v: root.order_by("pk")[len(v) : 3].alist(),
    "values": lambda root, v: root.exclude(name=v).values("name", "age").alist(),
}


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("cls", CLASSES)
async def test_overridden_methods_are_heeded_each_time(cls, name, rows):
    manager = AsyncManager.from_queryset(cls)()
    manager.model = Author

    await like_django(lambda v: WORKS[name](manager, v), ["a", "b", "a", "c", ""])
    await like_django(lambda v: WORKS[name](manager.all(), v), ["a", "b"], keep=True)


def of_author(number):
    return Author.objects.aget(pk=number)


RELATIONS = {
    "reverse": lambda one: one.articles.filter(views__gt=0).alist(),
    "reverse first": lambda one: one.articles.afirst(),
    "reverse count": lambda one: one.articles.acount(),
    "reverse get": lambda one: one.articles.aget(views=0),
    "reverse knows": lambda one: one.articles.select_related("editor").order_by("-pk").alist(),
    "through": lambda one: Tag.objects.filter(articles__author=one).distinct().alist(),
}
MANY = {
    "all": lambda one: one.tags.alist(),
    "sticky": lambda one: one.tags.filter(articles__views__gt=0).order_by("pk").alist(),
    "sticky twice": lambda one: one.tags.filter(name="x").filter(articles__views=1).acount(),
    "excluded": lambda one: one.tags.exclude(articles__views=1).alist(),
    "exists": lambda one: one.tags.filter(name="y").aexists(),
    "generic": lambda one: one.comments.alist(),
    "generic filter": lambda one: one.comments.filter(text__contains="c").acount(),
    "prefetched": lambda one: Article.objects.filter(pk=one.pk).prefetch_related("tags").aget(),
}


@pytest.mark.parametrize("name", RELATIONS)
async def test_related_objects_are_those_of_each_instance(name, rows):
    instances = [await of_author(number) for number in (1, 2, 3, 1)]

    await like_django(RELATIONS[name], instances)


@pytest.mark.parametrize("name", MANY)
async def test_many_related_objects_are_those_of_each_instance(name, rows):
    await like_django(MANY[name], await Article.objects.alist())


async def test_symmetric_and_djangos_own_managers_give_what_django_gives(rows):
    people = await Person.objects.abulk_create(Person(name=name) for name in "abc")
    await Friendship.objects.abulk_create(
        Friendship(one=people[a], other=people[b]) for a, b in [(0, 1), (1, 0), (1, 2)]
    )
    parents = await Plain.objects.abulk_create([Plain(name="p"), Plain(name="q")])
    for number, parent in enumerate(parents):
        await parent.children.acreate(name=f"child {number}")

    await like_django(lambda v: run_sync(lambda: list(v.friends.filter(name__gt="a"))), people)
    await like_django(lambda v: run_sync(lambda: list(v.children.all())), parents)


async def test_unsaved_instance_has_no_related_objects_as_in_django(rows):
    await like_django(
        lambda v: run_sync(lambda: list(v.articles.filter(views=0))), [Author(pk=1), Author()]
    )


async def test_each_database_has_its_own_rows_and_plans(rows):
    await Author.objects.using("other").acreate(name="a", age=50)
    for alias in ("default", "other", "default", "other"):
        found = await Author.objects.using(alias).filter(name="a").alist()
        assert [(one.age, one._state.db) for one in found] == [
            (50 if alias == "other" else 1, alias)
        ]
    await like_django(
        lambda v: Author.objects.using(v).filter(name="a").acount(), ["other", "default"], "other"
    )


class Alternating:
    """Reads from one database, then from the other."""

    asked = 0

    def db_for_read(self, model, **hints):
        Alternating.asked += 1
        return ("default", "other")[Alternating.asked % 2]


async def test_router_is_asked_for_each_query(rows):
    await Author.objects.using("other").acreate(name="a", age=50)
    clear_plans()
    with override_settings(DATABASE_ROUTERS=[Alternating()]):
        for _ in range(2):
            Alternating.asked = 0
            queryset = Author.objects.filter(name="a")
            ages = [(await queryset.all().aget()).age for _ in range(6)]
            assert (ages, Alternating.asked) == ([50, 1] * 3, 6)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda q: q.all()])
async def test_copied_querysets_are_like_the_original(copied, rows):
    await like_django(
        lambda v: copied(Author.objects.filter(name=v).order_by("pk")).alist(), ["a", "b"]
    )
    await like_django(lambda v: copied(Author.objects.filter(name=v)).acount(), ["a", "b"])


async def test_pickled_querysets_and_queries_are_like_the_original(rows):
    async def work(name):
        def evaluated():
            return pickle.loads(pickle.dumps(Author.objects.filter(name=name).order_by("pk")))

        query = pickle.loads(pickle.dumps(Author.objects.filter(name=name).query))
        revived = Author.objects.all()
        revived.query = query
        again = await run_sync(evaluated)
        return again._result_cache, await again.all().alist(), await revived.alist()

    await like_django(work, ["a", "b", "none"])


async def test_query_that_was_looked_at_and_changed_counts(rows):
    async def work(name):
        queryset = Author.objects.filter(name__gte=name)
        queryset.query.add_ordering("-age")
        queryset.query.add_q(Q(age__lt=3))
        return await queryset.alist(), await queryset.filter(age=2).acount()

    await like_django(work, ["a", "b", "c"])


async def test_queryset_that_does_not_clone_changes_in_place(rows):
    async def work(name):
        queryset = Author.objects.filter(name__gte=name)
        queryset._disable_cloning()
        queryset.filter(age__lt=3).order_by("-pk")
        queryset._enable_cloning()
        return await queryset.alist()

    await like_django(work, ["a", "b", "c"])


async def test_parts_of_a_chain_stay_what_they_were(rows):
    async def work(name):
        base = Author.objects.filter(name__gte=name)
        ordered, narrow = base.order_by("-age"), base.exclude(age=3)
        both = narrow & Author.objects.filter(age__gt=1)
        first = await narrow.alist()
        later = narrow.filter(articles__views=F("age") - 1)
        return first, [await q.alist() for q in (base, ordered, narrow, both, later, narrow)]

    await like_django(work, ["a", "b", "c"])


async def test_queryset_shared_by_tasks_gives_each_all_of_it(rows):
    for _ in range(3):
        clear_plans()
        for _ in range(3):
            shared = Author.objects.filter(age__gt=1).order_by("pk")
            works = [
                shared.alist(),
                shared.acount(),
                shared.filter(name="c").aget(),
                shared.alast(),
            ]
            works += [shared.alist(), shared.aexists(), shared[:1].alist(), shared.aget(name="b")]
            b, c = await Author.objects.order_by("pk")[1:].alist()
            assert await asyncio.gather(*works) == [[b, c], 2, c, c, [b, c], True, [b], b]


async def test_many_tasks_with_values_of_their_own_get_their_own_rows(rows):
    clear_plans()

    async def one(number):
        author = await Author.objects.select_related("profile").aget(age=number % 3 + 1)
        titles = [article.title async for article in author.articles.filter(views__lt=number % 3)]
        return author.name, titles

    assert (
        await asyncio.gather(*map(one, range(60)))
        == [
            ("a", []),
            ("b", ["b0"]),
            ("c", ["c0", "c1"]),
        ]
        * 20
    )
    assert plan_stats().hits > 50


@pytest.mark.parametrize("place", ["task", "bridge", "portal", "block"])
async def test_plans_are_used_wherever_the_code_runs(place, rows):
    async def work(name):
        queryset = Author.objects.filter(name=name)
        if place == "bridge":
            return await run_sync(lambda: (queryset.get(), queryset.count(), list(queryset.all())))
        if place == "portal":
            return await portal(asyncio_work(queryset))
        if place == "block":
            async with atomic():
                return await asyncio_work(queryset)
        return await asyncio_work(queryset)

    async def asyncio_work(queryset):
        return await queryset.aget(), await queryset.acount(), await queryset.all().alist()

    assert await like_django(work, ["a", "b", "c"]) >= 15


async def test_prefetched_querysets_are_planned_and_right(rows):
    async def work(number):
        few = Prefetch("articles", Article.objects.filter(views__lt=number).order_by("-pk"))
        found = await Author.objects.prefetch_related(few, "articles__tags").alist()
        return found, [list(author.articles.all()) for author in found]

    await like_django(work, [0, 1, 2, 3])


async def test_where_no_loop_runs_querysets_are_djangos():
    author = await run_sync(Author.objects.create, name="a")
    queryset = Author.objects.filter(name="a")
    assert await queryset.alist() == [author]

    def in_django():
        with plans_off():
            return state(list(Author.objects.filter(name="a")))

    assert await run_sync(in_django) == state(await Author.objects.filter(name="a").alist())
    assert str(queryset.query) == str(Author.objects.filter(name="a").query)
    assert connections["default"].alias == "default"


async def test_rows_of_a_related_manager_have_a_plan(rows):
    author = await Author.objects.aget(pk=3)
    clear_plans()
    for title in ("a", "b", "c"):
        found = await author.articles.filter(title__gte=title).alist()
        assert all(article.author is author for article in found)

    assert plan_stats().hits == 2


async def test_what_has_no_plan_is_counted_once():
    clear_plans()
    for _ in range(3):
        await Author.objects.filter(pk__in=Author.objects.filter(age=5).values("pk")).alist()

    assert plan_stats().unplannable == {"a subquery": 3}


async def test_a_queryset_that_django_evaluates_is_left_as_it_is_meanwhile(rows):
    clear_plans()
    queryset = Author.objects.filter(pk__lt=3)
    found = await asyncio.gather(*(queryset.acount() for _ in range(4)))

    assert found == [2] * 4
    assert queryset._record is not None
    assert queryset._db is None


@pytest.mark.parametrize("relation", ["articles", "articles__tags"])
async def test_managers_of_prefetched_rows_build_no_filter_each(rows, relation, monkeypatch):
    """Most of them are never executed, so Django puts their filters off."""
    built = []
    add_q = Query.add_q

    def counted(self, *args, **kwargs):
        built.append(self)
        return add_q(self, *args, **kwargs)

    monkeypatch.setattr(Query, "add_q", counted)
    numbers = []
    for count in (1, 3):
        clear_plans()
        built.clear()
        found = await Author.objects.order_by("-pk")[:count].prefetch_related(relation).alist()
        assert [len(author.articles.all()) for author in found] == [3, 2, 1][:count]
        numbers.append(len(built))

    assert numbers[0] == numbers[1]


async def test_a_filter_of_a_relation_that_was_put_off_is_an_error_each_time(rows):
    author = await Author.objects.aget(pk=1)
    articles = author.articles.all()
    articles.__dict__[DEFERRED] = (articles._record, "filter", (), {"nonsense": 1})
    del articles.__dict__["_record"]

    for _ in range(2):
        with pytest.raises(FieldError):
            await articles.alist()
