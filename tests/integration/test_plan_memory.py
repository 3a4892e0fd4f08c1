"""The cache of plans stays within its bound, forgets what was not used, and what has changed."""

import gc
import sys

import pytest
from django.db import models
from django.db.models import Count, Value
from django.test import override_settings
from django.test.utils import CaptureQueriesContext, isolate_apps

from tests.testapp.models import Article, Author, Tag
from tests.thorough import cases
from turbo_orm import PlanStats, clear_plans, plan_stats, run_sync
from turbo_orm.connection.content_types import remember_content_types
from turbo_orm.plan import bind_only
from turbo_orm.plan.cache import NODES_PER_PLAN, Node, cache
from turbo_orm.plan.exceptions import Unplannable
from turbo_orm.plan.plan import Plan

LIMIT = 20
UNIQUE = cases(30_000, 100_000)


@pytest.fixture(autouse=True)
def no_plans():
    # A new connection would look them up, by a plan, if an earlier test has emptied Django's cache.
    remember_content_types("default")
    clear_plans()
    yield
    clear_plans()


@pytest.fixture
def small(monkeypatch):
    """A cache of twenty plans."""
    monkeypatch.setattr(cache, "limit", LIMIT)


def counted():
    """Return how many plans and nodes there are, in the cache and in memory."""
    gc.collect()
    kinds = [type(found) for found in gc.get_objects()]
    return kinds.count(Plan), kinds.count(Node)


@pytest.mark.slow
async def test_unique_literals_of_any_number_make_no_plan_and_leave_nothing():
    def queryset(number):
        return Article.objects.filter(title=f"t{number}", author=number)

    for number in range(3):
        await queryset(number).alist()
    plans, nodes = len(cache.plans), cache.nodes
    sizes = []
    for number in range(UNIQUE):
        if number % (UNIQUE // 10) == 0:
            gc.collect()
            sizes.append((len(gc.get_objects()), sys.getallocatedblocks()))
        _, params = bind_only(queryset(number))
    assert (*params,) == (number, f"t{number}")
    gc.collect()

    assert (len(cache.plans), cache.nodes) == (plans, nodes)
    objects, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    assert abs(objects - sizes[2][0]) < 500
    assert abs(blocks - sizes[2][1]) < 5_000


async def test_unique_literals_in_the_database_keep_one_plan():
    for number in range(2_000):
        await Author.objects.filter(name=f"{number}").acount()

    assert plan_stats() == PlanStats(
        hits=1_999, misses=1, fallbacks=0, unplannable={}, plans=1, limit=cache.limit
    )


@pytest.mark.slow
async def test_unique_shapes_keep_plans_and_nodes_within_their_bounds(small):
    # Querysets that live as long as the process keep theirs.
    plans_before, nodes_before = counted()
    for number in range(LIMIT * NODES_PER_PLAN + 100):
        await Author.objects.annotate(**{f"a{number}": Value(1)}).filter(pk=number).aexists()
        assert len(cache.plans) <= LIMIT
        assert cache.nodes <= LIMIT * NODES_PER_PLAN
    plans, nodes = counted()

    assert plans - plans_before <= LIMIT + 5
    assert nodes - nodes_before <= LIMIT * NODES_PER_PLAN + 10


async def test_lists_of_every_length_keep_plans_within_their_bound(small):
    for number in range(1, 150):
        assert await Author.objects.filter(pk__in=list(range(number))).alist() == []

    assert len(cache.plans) <= LIMIT
    assert plan_stats().unplannable == {"more than 100 values": 49}


@pytest.mark.slow
async def test_aggregates_of_unique_names_that_have_no_plan_leave_nothing(small):
    async def aggregate(number):
        # No row can match: there is no statement, so there is no plan.
        nothing = Author.objects.filter(pk__in=[])
        return await nothing.aaggregate(**{f"a{number}": Count("*")})

    for number in range(2_000):
        await aggregate(number)

    assert sum(len(node.plans) for node in _nodes()) <= LIMIT * NODES_PER_PLAN


def _nodes():
    pending = list(cache.roots.values())
    while pending:
        node = pending.pop()
        pending += node.children.values()
        yield node


async def test_the_plan_that_was_not_used_longest_is_forgotten_and_made_again(small):
    async def use(number):
        before = plan_stats()
        await Author.objects.filter(pk__in=list(range(1, number + 2))).alist()
        return plan_stats().hits - before.hits

    assert [await use(number) for number in range(LIMIT)] == [0] * LIMIT
    assert await use(0) == 1
    # The twenty-first pushes out the second, as the first was used meanwhile.
    assert await use(LIMIT) == 0
    assert [await use(0), await use(2), await use(1)] == [1, 1, 0]
    assert await use(1) == 1
    assert len(cache.plans) == LIMIT


async def test_kept_queryset_works_after_its_plan_was_forgotten(small):
    kept = Author.objects.filter(name="a").order_by("pk")
    author = await Author.objects.acreate(name="a")
    for _ in range(3):
        assert await kept.all().alist() == [author]
        for number in range(LIMIT + 1):
            await Author.objects.filter(pk__in=list(range(1, number + 2))).alist()


@pytest.mark.parametrize("setting", [{"TIME_ZONE": "Asia/Tokyo"}, {"USE_TZ": False}, {"FOO": 1}])
async def test_changed_setting_empties_the_cache(setting):
    await Author.objects.filter(name="a").acount()
    assert len(cache.plans) == 1

    with override_settings(**setting):
        assert len(cache.plans) == cache.nodes == 0
        await Author.objects.filter(name="a").acount()
        assert len(cache.plans) == 1
    assert len(cache.plans) == 0


@isolate_apps("tests.testapp")
async def test_new_model_class_empties_the_cache():
    await Author.objects.filter(name="a").acount()

    class New(models.Model):
        class Meta:
            app_label = "testapp"

    assert len(cache.plans) == cache.nodes == 0


async def test_limit_is_a_setting():
    with override_settings(TURBO_ORM={"PLAN_CACHE_SIZE": 3, "POOL": {}}):
        for number in range(1, 6):
            await Tag.objects.filter(pk__in=list(range(number))).alist()
        assert (plan_stats().plans, plan_stats().limit) == (3, 3)


async def test_first_arguments_do_not_stay_in_results_of_others():
    first = await Author.objects.acreate(name="first")
    await Article.objects.acreate(title="x", author=first)
    await Article.objects.filter(author=first).select_related("author").alist()
    others = await Article.objects.filter(author=first).select_related("author").alist()

    assert others[0].author is not first


async def test_results_are_not_kept_by_the_cache():
    await Author.objects.acreate(name="not kept")
    for _ in range(3):
        await Author.objects.filter(name="not kept").alist()
    gc.collect()

    # What other tests keep alive is not the cache's.
    found = [each for each in gc.get_objects() if type(each) is Author]
    assert [each for each in found if each.name == "not kept"] == []


async def test_bind_only_needs_a_plan():
    with pytest.raises(Unplannable):
        bind_only(Author.objects.filter(name="a"))
    with CaptureQueriesContext(await run_sync(_connection)) as queries:
        await Author.objects.filter(name="a").alist()
        sql, params = bind_only(Author.objects.filter(name="b"))
    assert ((*params,), len(queries)) == (("b",), 1)
    assert sql.replace("%s", "'a'") == queries[0]["sql"]


def _connection():
    from django.db import connection

    return connection
