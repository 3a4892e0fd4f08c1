"""Whoever replaces something of Django's is called as often as in plain Django, plans or not."""

import contextlib
import functools
import uuid
from types import MethodType

import pytest
from django.db import models
from django.db.models import Count, Manager, QuerySet

from tests.plans import plans_off
from tests.testapp.models import Reading
from turbo_orm import AsyncQuerySet, clear_plans, plan_stats, portal
from turbo_orm.plan import originals
from turbo_orm.query.planned import METHODS

pytestmark = pytest.mark.rolled_back

KEY = uuid.UUID(int=1)
# A chain, how it ends, and with what.
ROWS = {
    "list": (lambda rows: rows.filter(value=1).order_by("-pk")[:3], list, {}),
    "joined": (lambda rows: rows.select_related("measure").distinct(), list, {}),
    "values": (lambda rows: rows.exclude(value=2).values("value"), list, {}),
    "tuples": (lambda rows: rows.order_by("pk").reverse().values_list("pk", "value"), list, {}),
    "flat": (lambda rows: rows.annotate(n=Count("pk")).values_list("n", flat=True), list, {}),
    "named": (lambda rows: rows.values_list("value", named=True), list, {}),
    "deferred": (lambda rows: rows.alias(n=Count("pk")).defer("value"), list, {}),
    "only": (lambda rows: rows.only("value").prefetch_related("measure"), list, {}),
}
WORKS = {
    **ROWS,
    "looked": (
        lambda rows: rows.filter(
            value__in=[1], value__contains="1", measure=KEY, measure__in=[KEY]
        ),
        list,
        {},
    ),
    "get": (lambda rows: rows, "get", {"value": 1}),
    "first": (lambda rows: rows.filter(value=1), "first", {}),
    "last": (lambda rows: rows.filter(value=1), "last", {}),
    "earliest": (lambda rows: rows.filter(value=1), "earliest", ["pk"]),
    "latest": (lambda rows: rows.filter(value=1), "latest", ["pk"]),
    "count": (lambda rows: rows.filter(value=1), "count", {}),
    "count of some": (lambda rows: rows.filter(value=1)[:2], "count", {}),
    "exists": (lambda rows: rows.filter(value=1), "exists", {}),
    "aggregate": (lambda rows: rows.filter(value=1), "aggregate", {"n": Count("pk")}),
    "contains": (lambda rows: rows.filter(value=1), "contains", [Reading(pk=1)]),
    "in_bulk": (lambda rows: rows, "in_bulk", [[1]]),
    "update": (lambda rows: rows.filter(value=3), "update", {"value": 4}),
    "delete": (lambda rows: rows.filter(value=3), "delete", {}),
    "create": (lambda rows: rows, "create", {"value": 5}),
    "update_or_create": (
        lambda rows: rows,
        "update_or_create",
        {"value": 1, "defaults": {"value": 1}},
    ),
}
# Of the log of queries there are tests of their own. In the bridge a wrapper has the other methods
# as they were when its class was made.
OTHERWISE = ("create_cursor", "cursor", "ensure_connection", "make_debug_cursor")


def table():
    """Return every name that plans skip, base classes first: a wrapper stands around theirs."""
    tables = [
        *originals.LEARNING,
        *(names for of_kind in originals.SKIPPED.values() for names in of_kind),
        *(
            (getattr(module, kind), attributes)
            for module in (originals.compilers, originals.postgresqls)
            for kind, attributes in originals.COMPILERS.items()
        ),
    ]
    found = dict.fromkeys((owner, name) for owner, attributes in tables for name in attributes)
    return [
        (owner, name)
        for owner, name in sorted(found, key=lambda each: len(getattr(each[0], "__mro__", ())))
        if originals.original(owner, name) is not None
        and (owner is not originals.DatabaseWrapper or name not in OTHERWISE)
    ]


NAMES = table()


@pytest.fixture(autouse=True)
async def _rows():
    await Reading.objects.abulk_create(Reading(value=value) for value in (1, 2))
    clear_plans()


async def ado(rows, work):
    chain, method, arguments = WORKS[work]
    queryset = chain(rows)
    if method is list:
        return [row async for row in queryset]
    args, kwargs = (arguments, {}) if isinstance(arguments, list) else ((), arguments)
    return await getattr(queryset, f"a{method}")(*args, **kwargs)


async def as_django(work):
    """Do a work as plain Django does."""
    with plans_off():
        return await portal(ado(QuerySet(Reading), work))


class Replaced:
    """A name of Django's, replaced by what counts its calls."""

    def __init__(self, owner, name):
        self.owner, self.name, self.calls = owner, name, 0

    def __enter__(self):
        self.own = self.name in vars(self.owner)
        self.before = before = vars(self.owner).get(self.name)
        value = before if self.own else getattr(self.owner, self.name)
        if isinstance(value, property):
            made = property(self.counting(value.fget), value.fset)
        elif isinstance(value, classmethod | MethodType):
            made = classmethod(self.counting(value.__func__))
        else:
            made = self.counting(value)
        setattr(self.owner, self.name, made)
        return self

    def counting(self, function):
        @functools.wraps(function)
        def counted(*args, **kwargs):
            self.calls += 1
            return function(*args, **kwargs)

        return counted

    def __exit__(self, *error):
        if self.own:
            setattr(self.owner, self.name, self.before)
        else:
            delattr(self.owner, self.name)


def plain_manager():
    manager = Manager()
    manager.model = Reading
    return manager


async def in_portal(rows, work):
    return await portal(ado(rows, work))


WAYS = {"ours": (Reading.objects, ado), "plain": (plain_manager(), in_portal)}
# What Django does in a transaction that is rolled back, and what several plans do.
NO_HIT = {"delete"}


@contextlib.contextmanager
def counting_all():
    """Replace every name at once; give the calls of each by then."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(Replaced(*name)) for name in NAMES]
        yield lambda: {name: each.calls for name, each in zip(NAMES, made, strict=True)}


async def test_each_name_is_called_by_some_work():
    with counting_all() as counted:
        for work in WORKS:
            await as_django(work)
        assert [name for name, calls in counted().items() if not calls] == []


@pytest.mark.parametrize("work", WORKS)
async def test_what_replaces_a_name_is_called_as_often_as_in_plain_django(work):
    with counting_all() as counted:
        await as_django(work)
        expected = {name: calls for name, calls in counted().items() if calls}
    found = {}
    for way, (rows, do) in WAYS.items():
        for name in ["no name yet", *expected, "none any more"]:
            before = plan_stats().hits
            if isinstance(name, str):
                await do(rows, work)
                await do(rows, work)
                assert plan_stats().hits > before or work in NO_HIT
                continue
            with Replaced(*name) as replaced:
                await do(rows, work)
                found[way, name] = replaced.calls
    assert found == {(way, name): expected[name] for way in WAYS for name in expected}


@pytest.mark.parametrize("work", WORKS)
async def test_what_is_replaced_while_a_chain_is_written_is_called_by_then(work):
    chain, _, _ = WORKS[work]
    with counting_all() as counted:
        chain(QuerySet(Reading))
        expected = {name: calls for name, calls in counted().items() if calls}
    for _ in range(2):
        await ado(Reading.objects, work)
    found = {}
    for name in expected:
        with Replaced(*name) as replaced:
            chain(AsyncQuerySet(Reading))
            found[name] = replaced.calls
    assert found == expected


async def hits(work):
    before = plan_stats().hits
    await ado(Reading.objects, work)
    return plan_stats().hits - before


async def test_once_it_is_put_back_the_plan_is_used_again():
    assert [await hits("get"), await hits("get")] == [0, 1]
    with Replaced(originals.compilers.SQLCompiler, "execute_sql"):
        assert await hits("get") == 0
        # This one was never done before.
        assert [await hits("count"), await hits("count")] == [0, 0]
    assert await hits("get") == 1
    assert [await hits("count"), await hits("count")] == [0, 1]


METHOD_OF = {"_fetch_all": "list", "_update": "update_or_create"}


class Own(AsyncQuerySet):
    """A queryset class of a project, whose methods are replaced in a test."""


def wrapped_on(queryset, name, calls):
    """Put a method on a queryset itself, as django-money does."""
    method = getattr(queryset, name)

    def wrapper(*args, **kwargs):
        calls.append(name)
        return method(*args, **kwargs)

    setattr(queryset, name, wrapper)
    return queryset


@pytest.mark.parametrize(
    "work", [work for work in WORKS if WORKS[work][1] is not list and "of" not in work]
)
async def test_a_method_put_on_a_queryset_is_called_as_often_as_in_plain_django(work):
    def with_own(made, calls):
        # Of those that the method calls, too.
        for name in (WORKS[work][1], "filter", "order_by", "reverse", "_fetch_all", "_update"):
            wrapped_on(made, name, calls)
        return made

    expected, calls = [], []
    chain, method, arguments = WORKS[work]
    args, kwargs = (arguments, {}) if isinstance(arguments, list) else ((), arguments)
    for _ in range(3):
        expected.clear()
        calls.clear()
        with plans_off():
            plain = with_own(chain(QuerySet(Reading)), expected)
            await portal(getattr(plain, f"a{method}")(*args, **kwargs))
        await getattr(with_own(chain(AsyncQuerySet(Reading)), calls), f"a{method}")(*args, **kwargs)
        assert calls == expected != []


@pytest.mark.parametrize("owner", [AsyncQuerySet, Own], ids=["ours", "a project's"])
@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"_update"}))
async def test_a_method_replaced_on_a_class_is_called_as_often_as_on_djangos(owner, name):
    work = METHOD_OF.get(name, name)
    with Replaced(QuerySet, name) as replaced:
        await as_django(work)
    expected = replaced.calls
    for _ in range(2):
        await ado(owner(Reading), work)
    with Replaced(owner, name) as replaced:
        await ado(owner(Reading), work)
    assert replaced.calls == expected > 0
    before = plan_stats().hits
    await ado(owner(Reading), work)
    # In the block of a test that is rolled back, Django deletes.
    assert plan_stats().hits > before or work == "delete"


@pytest.mark.parametrize("name", ["__init__", "__setattr__", "from_db"])
@pytest.mark.parametrize("work", ["list", "get", "joined"])
async def test_what_makes_instances_of_a_model_may_be_replaced_at_any_time(work, name):
    for _ in range(2):
        await ado(Reading.objects, work)
    with Replaced(Reading, name) as replaced:
        await as_django(work)
        expected = replaced.calls
        for times in (2, 3):
            await ado(Reading.objects, work)
            assert replaced.calls == times * expected > 0


async def test_a_lookup_of_one_plan_may_be_replaced_at_any_time():
    for times in range(3):
        assert await hits("list") == (times > 0)
    lookup = models.IntegerField().get_lookup("exact")
    with Replaced(lookup, "process_rhs") as replaced:
        await ado(Reading.objects, "list")
        assert replaced.calls == 1
    assert await hits("list") == 1


async def test_a_recorded_chain_goes_on_with_what_was_replaced_since():
    base = Reading.objects.filter(value=1)
    await base.alist()
    with Replaced(QuerySet, "_filter_or_exclude") as replaced:
        assert [row.value for row in await base.filter(pk__gt=0).alist()] == [1]
        assert replaced.calls == 1
    with Replaced(QuerySet, "_chain") as replaced:
        base.all()
        assert replaced.calls == 1


def test_what_was_replaced_before_this_library_was_loaded_is_not_taken_for_djangos():
    def replaced():
        """Somebody's."""

    assert originals.is_original(QuerySet.get)
    assert not originals.is_original(functools.wraps(QuerySet.get)(lambda *args: replaced()))
    assert not originals.is_original(replaced)
