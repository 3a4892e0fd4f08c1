"""A plan is learnt without touching the warnings of the process, which all threads share."""

import asyncio
import datetime as dt
import threading
import warnings

import django
import pytest
from django.db.models import Count, QuerySet, Value

from tests.plans import outcome, plans_off
from tests.testapp.models import Event, Measure
from tests.waiting import PATIENCE
from turbo_orm import AsyncQuerySet, clear_plans, close_pools, plan_stats, portal
from turbo_orm.plan import run

THREADS = 4
DAY = dt.date(2020, 1, 1)
AWARE = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
NAIVE = AWARE.replace(tzinfo=None)
# Django warns of each but the first two.
WORKS = {
    "aware": lambda rows: rows.filter(at__gte=AWARE).acount(),
    "a day": lambda rows: rows.filter(day=DAY, at__date=DAY).acount(),
    "naive": lambda rows: rows.filter(at__gte=NAIVE).acount(),
    "naive ones": lambda rows: rows.filter(at__in=[NAIVE, NAIVE]).acount(),
    "an instant as day": lambda rows: rows.filter(at__gte=DAY).acount(),
    "an instant as text": lambda rows: rows.exclude(at__gte="2020-01-01 00:00").acount(),
    "a range": lambda rows: rows.filter(at__range=(NAIVE, AWARE)).aexists(),
    "an update": lambda rows: rows.filter(name="none").aupdate(at=NAIVE),
}


async def warned(rows, work):
    """Return what is warned of when some work is done three times."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            await work(rows)
    return [str(each.message) for each in caught if each.source is None]


@pytest.mark.parametrize("work", WORKS)
async def test_it_is_warned_of_as_often_as_in_plain_django(work):
    with plans_off():
        expected = await portal(warned(QuerySet(Event), WORKS[work]))
    clear_plans()
    assert await warned(Event.objects, WORKS[work]) == expected
    assert bool(expected) == (work not in {"aware", "a day"})


async def test_a_plan_that_was_learnt_before_warns_as_often_too():
    await WORKS["aware"](Event.objects)
    for work in ("naive", "an instant as day"):
        with plans_off():
            expected = await portal(warned(QuerySet(Event), WORKS[work]))
        assert await warned(Event.objects, WORKS[work]) == expected


# By what gives a column a name with a percent sign, of which Django warns since 6.1.
NAMES = {
    "annotate": lambda rows: rows.annotate(**{"a%": Value(1)}).alist(),
    "annotate by default": lambda rows: rows.annotate(Count("data__a%")).alist(),
    "alias": lambda rows: rows.alias(**{"a%": Value(1)}).acount(),
    "values": lambda rows: rows.values("data__a%").alist(),
    "values of an expression": lambda rows: rows.values(**{"a%": Value(1)}).alist(),
    "values_list": lambda rows: rows.values_list("pk", "data__a%").alist(),
    "values_list by default": lambda rows: rows.values_list(Count("data__a%")).alist(),
    "extra": lambda rows: rows.extra(select={"a%": "1"}).alist(),
    "aggregate": lambda rows: rows.aaggregate(**{"a%": Count("pk")}),
    "aggregate by default": lambda rows: rows.aaggregate(Count("data__a%")),
    "order": lambda rows: rows.order_by("data__a%").alist(),
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_with_a_percent_sign_is_warned_of_as_in_plain_django(name):
    rows = AsyncQuerySet(Measure)
    with plans_off():
        expected = await outcome(NAMES[name], rows)
    clear_plans()
    for _ in range(3):
        assert await outcome(NAMES[name], rows) == expected
    if django.VERSION >= (6, 1):
        assert bool(expected[1]) == (name != "order")


async def test_json_null_is_warned_of_as_in_plain_django():
    async def null(rows):
        await rows.filter(data=None).acount()

    with plans_off():
        expected = await portal(warned(QuerySet(Measure), null))
    clear_plans()
    assert await warned(Measure.objects, null) == expected


@pytest.mark.needs_thread("threads share the warnings")
def test_four_threads_that_learn_at_once_leave_the_warnings_as_they_are(monkeypatch):
    together = threading.Barrier(THREADS)
    make_plan, learnt, failures = run.make_plan, [], []

    def make(*args, **kwargs):
        # All are in the midst of it.
        together.wait(PATIENCE)
        learnt.append(threading.get_ident())
        try:
            return make_plan(*args, **kwargs)
        finally:
            together.wait(PATIENCE)

    async def work(number):
        await WORKS["aware"](Event.objects.filter(pk=number).values(*["pk", "name"][: number % 3]))
        await close_pools()

    def begin(number):
        try:
            asyncio.run(work(number))
        except BaseException as error:
            failures.append(error)

    monkeypatch.setattr(run, "make_plan", make)
    clear_plans()
    before = list(warnings.filters), warnings.filters, warnings.showwarning, warnings.warn
    threads = [threading.Thread(target=begin, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert failures == []
    assert len(set(learnt)) == THREADS
    assert (list(warnings.filters), warnings.filters, warnings.showwarning, warnings.warn) == before
    assert warnings.filters is before[1]
    assert plan_stats().plans > 0
