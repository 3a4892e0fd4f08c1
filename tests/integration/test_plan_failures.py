"""An error of ours in a plan is logged where Django has none; one that Django has is Django's."""

import asyncio
import logging

import pytest
from django.core.exceptions import FieldError
from django.db import OperationalError

from tests.testapp.models import Article, Author, Measure, Tag
from turbo_orm import atomic, clear_plans, plan_stats, pool_stats
from turbo_orm.plan import failures, run, trace

pytestmark = pytest.mark.rolled_back


class Mistake(Exception):
    """Ours."""


@pytest.fixture(autouse=True)
def logged(caplog, monkeypatch):
    monkeypatch.setattr(failures, "_logged", set())
    caplog.set_level(logging.ERROR, logger="turbo_orm")
    clear_plans()
    return caplog


def raising(*args, **kwargs):
    raise Mistake


WORKS = {
    "list": (lambda: Author.objects.filter(age=1).alist(), []),
    "count": (lambda: Author.objects.filter(age=1).acount(), 0),
}
TOLD = {
    "list": "A plan failed in iteration of testapp.Author on database 'default'. ",
    "count": "A plan failed in count() of testapp.Author on database 'default'. ",
}


@pytest.mark.parametrize("name", WORKS)
async def test_a_failure_while_a_plan_is_made_is_logged_once(name, logged, monkeypatch):
    work, result = WORKS[name]
    monkeypatch.setattr(run, "make_plan", raising)

    assert [await work() for _ in range(5)] == [result] * 5

    (record,) = logged.records
    assert record.exc_info[0] is Mistake
    assert record.getMessage().startswith(TOLD[name])
    assert plan_stats().unplannable["Mistake while a plan was made"] > 0


@pytest.mark.parametrize("name", WORKS)
async def test_a_failure_of_a_plan_that_is_there_is_logged_once(name, logged):
    work, result = WORKS[name]
    await work()
    (plan,) = run.cache.plans
    plan.bind = raising

    assert [await work() for _ in range(3)] == [result] * 3

    (record,) = logged.records
    assert record.exc_info[0] is Mistake
    assert plan_stats().fallbacks == 3


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda: Author.objects.filter(age="x").alist(), ValueError),
        (lambda: Author.objects.order_by("nothing").alist(), FieldError),
        (lambda: Measure.objects.filter(data={"a": object()}).alist(), TypeError),
    ],
)
async def test_an_error_of_djangos_is_not_logged(work, error, logged):
    for _ in range(3):
        with pytest.raises(error):
            await work()

    assert logged.records == []


async def test_a_condition_on_an_instance_has_a_plan_for_every_method(logged):
    tag = await Tag.objects.acreate(name="x")
    author = await Author.objects.acreate(name="Ada")
    await (await Article.objects.acreate(title="one", author=author)).tags.aadd(tag)

    for method, result in {"acount": 1, "aexists": True, "ain_bulk": None, "alist": None}.items():
        for _ in range(3):
            # Once there is a plan, an instance is looked at as soon as the condition is written.
            found = await getattr(Article.objects.filter(tags=tag, author=author), method)()
            assert found == result or result is None

    assert logged.records == []
    assert not [reason for reason in plan_stats().unplannable if "Error" in reason]


@pytest.mark.commits
@pytest.mark.parametrize("known", [False, True], ids=["first", "server known"])
async def test_where_the_pool_has_no_connection_a_plan_is_not_waited_for_besides(
    known, make_alias, logged
):
    alias = make_alias(pool={"min_size": 1, "max_size": 1, "timeout": 0.2})
    trace._versions.pop(alias, None)
    clear_plans()
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold():
        async with atomic(using=alias):
            await Tag.objects.using(alias).acount()
            entered.set()
            await leave.wait()

    holding = asyncio.create_task(hold())
    await entered.wait()
    if not known:
        trace._versions.pop(alias, None)
    try:
        for lost in (1, 2):
            with pytest.raises(OperationalError):
                await Tag.objects.using(alias).filter(name="any").aexists()
            assert pool_stats(alias).requests_errors == lost
    finally:
        leave.set()
        await holding
    assert logged.records == []
