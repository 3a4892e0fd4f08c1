"""Plain managers in the bridge: Django's own applications use the plans too."""

import pickle

import pytest
from django.contrib.auth.models import Group
from django.db import models
from django.db.models.query import QuerySet, RawQuerySet
from django.test import override_settings

from tests.testapp.models import Plain
from turbo_orm import clear_plans, plan_stats, run_sync
from turbo_orm.query.plain import PlainQuerySet


@pytest.fixture
async def rows():
    return await Plain.objects.abulk_create([Plain(name="a"), Plain(name="b")])


async def test_the_second_query_of_a_shape_has_a_plan(rows):
    def twice():
        return [Plain.objects.get(name=name).pk for name in ("a", "b")]

    clear_plans()
    before = plan_stats()
    found = await run_sync(twice)
    after = plan_stats()

    assert found == [1, 2]
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 1)


async def test_models_of_djangos_applications_have_plans():
    await Group.objects.acreate(name="editors")
    clear_plans()

    def twice():
        return [list(Group.objects.filter(name="editors").values_list("name")) for _ in range(2)]

    before = plan_stats().hits
    assert await run_sync(twice) == [[("editors",)]] * 2
    assert plan_stats().hits - before == 1


async def test_it_shows_itself_as_djangos(rows):
    def shown():
        queryset = Plain.objects.order_by("pk")
        return type(queryset), repr(queryset), isinstance(queryset, QuerySet)

    assert await run_sync(shown) == (
        PlainQuerySet,
        "<QuerySet [<Plain: Plain object (1)>, <Plain: Plain object (2)>]>",
        True,
    )


async def test_raw_queries_are_djangos(rows):
    raw = await run_sync(lambda: Plain.objects.raw("SELECT * FROM testapp_plain ORDER BY id"))
    assert type(raw) is RawQuerySet


async def test_where_no_loop_runs_and_with_plans_off_it_is_djangos_class(rows):
    assert type(Plain.objects.all()) is QuerySet
    with override_settings(TURBO_ORM={"PLANS": "off"}):
        assert await run_sync(lambda: type(Plain.objects.all())) is QuerySet


async def test_it_can_be_made_one_of_another_class(rows):
    class Mine(QuerySet):
        def names(self):
            return [row.name for row in self.order_by("name")]

    def renamed():
        queryset = Plain.objects.filter(name="b")
        queryset.__class__ = Mine
        return type(queryset.all()), queryset.names(), len(queryset.none())

    assert await run_sync(renamed) == (Mine, ["b"], 0)


async def test_a_managers_own_get_queryset_goes_on_from_it(rows):
    class Named(models.Manager):
        def get_queryset(self):
            return super().get_queryset().filter(name="b")

    manager = Named()
    manager.model = Plain

    assert await run_sync(lambda: (type(manager.all()), [row.name for row in manager.all()])) == (
        PlainQuerySet,
        ["b"],
    )


async def test_it_is_pickled_with_its_rows(rows):
    dumped = await run_sync(lambda: pickle.dumps(Plain.objects.order_by("name")))
    assert [row.name for row in pickle.loads(dumped)] == ["a", "b"]


async def test_another_engine_keeps_djangos_querysets(make_alias):
    alias = make_alias(ENGINE="django.db.backends.sqlite3", NAME=":memory:")
    manager = Plain.objects.db_manager(alias)

    assert await run_sync(lambda: type(manager.all())) is QuerySet
    assert await run_sync(lambda: type(Plain.objects.all())) is PlainQuerySet
