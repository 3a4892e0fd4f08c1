"""Fields of a project are given the connection of the query that runs, at every query."""

import pytest
from django.db import connections, models
from django.db.models import Count, Lookup, Max, QuerySet
from django.test.utils import isolate_apps

from tests.plans import plans_off
from tests.testapp.models import Author
from turbo_orm import AsyncManager, atomic, clear_plans, plan_stats, portal

pytestmark = pytest.mark.rolled_back

TIMES = 3
noted, turns = [], [0]


def note(what, connection):
    """Note whether a connection is that of the code that runs, and can be used."""
    assert connection is connections["default"]
    # A plan is learnt without a connection.
    if connection.connection is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT txid_current_if_assigned() IS NULL")
            cursor.fetchone()
        noted.append((what, connection.in_atomic_block))


def asked(connection, function, value):
    """Let the database change a value."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [value])
        return cursor.fetchone()[0]


class Read(models.CharField):
    """Asks the database about each value that it gave."""

    def from_db_value(self, value, expression, connection):
        return value and asked(connection, "upper", value)


class Converted(models.CharField):
    """Has another converter for each query."""

    def get_db_converters(self, connection):
        word = asked(connection, "lower", f"{len(noted)}")
        noted.append("converters")
        return [lambda value, expression, connection: f"{value} {word}"]


class Written(models.CharField):
    """Looks at the connection before it is queried for a value."""

    def get_db_prep_value(self, value, connection, prepared=False):
        note("value", connection)
        return super().get_db_prep_value(value, connection, prepared)

    def get_db_prep_save(self, value, connection):
        note("save", connection)
        return super().get_db_prep_save(value, connection)


class Formatted(models.CharField):
    """Writes its column in another way each time."""

    def select_format(self, compiler, sql, params):
        return f"concat({sql}, '{turns[-1]}')", params


@Written.register_lookup
class Like(Lookup):
    lookup_name = "alike"

    def process_rhs(self, compiler, connection):
        note("lookup", connection)
        return super().process_rhs(compiler, connection)

    def as_sql(self, compiler, connection):
        lhs, params = self.process_lhs(compiler, connection)
        rhs, more = self.process_rhs(compiler, connection)
        return f"{lhs} LIKE {rhs}", [*params, *more]


def model_with(field_class):
    """Return a model of the authors' table, whose names are of a class of fields."""
    with isolate_apps("tests.testapp"):

        class Named(models.Model):
            name = field_class(max_length=100)
            age = models.IntegerField(default=0)
            objects = AsyncManager()

            class Meta:
                app_label = "testapp"
                db_table = Author._meta.db_table
                managed = False

        return Named


@pytest.fixture(autouse=True)
async def _rows():
    await Author.objects.abulk_create(Author(name=name, age=age) for age, name in enumerate("ab"))
    noted.clear()


async def results(rows, work):
    """Return what some work gives several times, and what was noted."""
    noted.clear()
    return [await work(rows) for _ in range(TIMES)], list(noted)


async def like_django(field_class, work, *, hits):
    """Assert that work on a model gives what plain Django gives, in and outside a block."""
    model = model_with(field_class)
    with plans_off():
        expected = await portal(results(QuerySet(model), work))
    clear_plans()
    assert await results(model.objects, work) == expected
    before = plan_stats().hits
    assert await portal(results(model.objects, work)) == expected
    assert (plan_stats().hits - before >= TIMES) == hits
    async with atomic():
        assert await results(model.objects, work) == expected


async def names(rows):
    turns.append(turns[-1] % TIMES + 1)
    return [row.name async for row in rows.filter(age__gte=0).order_by("pk")]


async def values(rows):
    return [name async for name in rows.order_by("pk").values_list("name", flat=True)]


async def greatest(rows):
    return await rows.aaggregate(name=Max("name"), n=Count("pk"))


async def counted(rows):
    return await rows.filter(name="a").acount()


async def alike(rows):
    return [row.age async for row in rows.filter(name__alike="a%")]


async def among(rows):
    return [row.age async for row in rows.filter(name__in=["a", "c"]).order_by("pk")]


async def updated(rows):
    return await rows.filter(age=7).aupdate(name="z")


async def created(rows):
    return (await rows.acreate(name="c")).name


@pytest.mark.parametrize("work", [names, values, greatest])
@pytest.mark.parametrize(("field_class", "hits"), [(Read, True), (Converted, False)])
async def test_a_converter_may_use_its_connection(field_class, hits, work):
    await like_django(field_class, work, hits=hits)


@pytest.mark.parametrize("work", [counted, alike, among, updated, created])
async def test_what_writes_a_value_is_given_the_connection_that_runs(work):
    await like_django(Written, work, hits=True)


async def test_a_column_that_is_written_differently_each_time():
    await like_django(Formatted, names, hits=False)
