"""SQL that a project's own code writes: it may be other SQL for the next query."""

import contextlib
from contextvars import ContextVar

import pytest
from django.db import connection, models
from django.db.models import Case, Count, F, Max, Q, QuerySet, When
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext, isolate_apps

from tests.plans import plans_off
from tests.testapp.models import Author
from turbo_orm import AsyncQuerySet, clear_plans, plan_stats, run_sync

pytestmark = pytest.mark.rolled_back

language: ContextVar[str] = ContextVar("language", default="C")


class Collated(models.Transform):
    """Writes the language into the SQL."""

    lookup_name = "collated"

    def as_sql(self, compiler, connection):
        sql, params = compiler.compile(self.lhs)
        return f'({sql} COLLATE "{language.get()}")', params


class Translated(models.Transform):
    """Gives the language as a parameter."""

    lookup_name = "translated"

    def as_sql(self, compiler, connection):
        sql, params = compiler.compile(self.lhs)
        return f"concat({sql}, %s::text)", (*params, language.get())


class Spoken(models.Lookup):
    """Compares with the language instead of its right side."""

    lookup_name = "spoken"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        sql, params = compiler.compile(self.lhs)
        return f"{sql} = %s", (*params, language.get())


class Shouted(models.Transform):
    """Has only a name of its own: Django writes the SQL."""

    lookup_name = "shouted"
    function = "UPPER"


class Spelled(models.CharField):
    """Stores the language where a row has no name, and compares with it."""

    def get_prep_value(self, value):
        return language.get() if value is True else value

    def get_db_prep_value(self, value, connection, prepared=False):
        return language.get() if value is None else self.get_prep_value(value)


@pytest.fixture(autouse=True)
async def rows():
    """Two authors whose names are languages, and one."""
    with contextlib.ExitStack() as stack:
        for lookup in (Collated, Translated, Spoken, Shouted):
            models.CharField.register_lookup(lookup)
            stack.callback(models.CharField._unregister_lookup, lookup)
        await Author.objects.abulk_create(Author(name=name) for name in ("C", "POSIX", "a"))
        clear_plans()
        yield
    clear_plans()


def names(rows):
    return list(rows.order_by("pk").values_list("name", flat=True))


OWN = {
    "order": lambda rows: list(rows.order_by("name__collated")),
    "order of an expression": lambda rows: list(rows.order_by(F("name__collated").desc())),
    "values": lambda rows: list(rows.order_by("pk").values("name__translated")),
    "annotation": lambda rows: list(
        rows.annotate(to=Lower("name__translated")).values_list("to", "pk")
    ),
    "case": lambda rows: list(
        rows.annotate(to=Case(When(name__spoken=True, then=1), default=2)).values_list("to", "pk")
    ),
    "lookup": lambda rows: names(rows.filter(name__spoken=True)),
    "negated lookup": lambda rows: names(rows.filter(~Q(name__spoken=False), pk__gt=0)),
    "null": lambda rows: names(rows.filter(name__translated__isnull=False)),
    "column": lambda rows: names(rows.exclude(name__translated=F("name"))),
    "count": lambda rows: rows.filter(name__spoken=True).count(),
    "exists": lambda rows: rows.filter(name__spoken=True).exists(),
    "aggregate": lambda rows: rows.aggregate(to=Max("name__translated")),
    "filtered aggregate": lambda rows: rows.aggregate(n=Count("pk", filter=Q(name__spoken=True))),
    "update": lambda rows: rows.filter(name__spoken=True).update(age=1),
    "value": lambda rows: names(rows.filter(name__translated="CC")),
    "values of a list": lambda rows: names(rows.filter(name__translated__in=["CC", "CPOSIX"])),
    "SQL of a value": lambda rows: names(rows.filter(name__collated="C")),
}


def save_without_name(rows):
    row = rows.order_by("pk").first()
    row.name = None
    row.save(update_fields=["name"])
    return names(rows)


def done(work, queryset_class, model):
    """Return what some work gives, and its SQL."""
    with CaptureQueriesContext(connection) as queries:
        found = work(queryset_class(model))
    return found, [query["sql"] for query in queries]


async def like_django(work, model=Author):
    for name in ("C", "C", "POSIX", "C", "POSIX"):
        token = language.set(name)
        try:
            with plans_off():
                expected = await run_sync(done, work, QuerySet, model)
            assert await run_sync(done, work, AsyncQuerySet, model) == expected
        finally:
            language.reset(token)


@pytest.mark.parametrize("case", OWN)
async def test_sql_of_a_projects_own_code_is_written_for_each_query(case):
    await like_django(OWN[case])


@pytest.mark.parametrize(
    "work",
    [
        lambda rows: list(rows.order_by("name__shouted").values_list("name__shouted", flat=True)),
        # The lookup is compiled for each value.
        OWN["value"],
    ],
)
async def test_there_is_a_plan_where_all_sql_is_djangos_or_a_condition_on_a_value(work):
    await like_django(work)
    assert plan_stats().hits == 4


@pytest.mark.parametrize(
    "work",
    [
        lambda rows: (rows.filter(pk__gt=0).update(name=None), names(rows)),
        save_without_name,
        lambda rows: names(rows.filter(name=True)),
    ],
)
async def test_what_a_field_makes_of_a_constant_is_asked_for_each_query(work):
    with isolate_apps("tests.testapp"):

        class Named(models.Model):
            name = Spelled(max_length=100, null=True)

            class Meta:
                app_label = "testapp"
                db_table = Author._meta.db_table
                managed = False

    await like_django(work, Named)
