"""Planned statements of synchronous code in the bridge: on the job's connection, or on none."""

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import QuerySet

from tests.plans import direct_statements
from tests.testapp.models import Author
from turbo_orm import AsyncQuerySet, clear_plans, pool_stats, run_sync


@pytest.fixture
async def alias(make_alias):
    """A pool of one connection, with plans for fetching authors and counting them."""
    clear_plans()
    alias = make_alias(pool={"min_size": 1, "max_size": 1})
    authors = Author.objects.using(alias)
    await authors.acreate(name="Ada")
    for _ in range(2):
        await run_sync(read, authors)
    # Not the queryset: whoever shows that asks the database.
    return alias


@pytest.fixture
def direct(stack):
    """Count the statements that were executed without a wrapper of Django's."""
    return stack.enter_context(direct_statements())


def read(authors):
    return [author.name for author in authors.filter(name="Ada")], authors.filter(age=7).count()


async def test_between_two_statements_no_connection_is_held(alias, direct):
    authors = Author.objects.using(alias)

    def work():
        return read(authors), pool_stats(authors.db).in_use, read(authors)

    assert await run_sync(work) == ((["Ada"], 0), 0, (["Ada"], 0))
    assert len(direct) == 4


async def test_a_job_that_has_a_connection_takes_no_second_one(alias, direct):
    authors = Author.objects.using(alias)

    def work():
        with connections[authors.db].cursor() as cursor:
            cursor.execute("SET work_mem = '1234kB'")
            seen = read(authors)
            cursor.execute("SHOW work_mem")
            changed = cursor.fetchone()
            cursor.execute("RESET work_mem")
        return seen, changed, pool_stats(authors.db).in_use

    assert await run_sync(work) == ((["Ada"], 0), ("1234kB",), 1)
    assert len(direct) == 0


async def test_hooks_of_a_connection_see_them_in_the_bridge_too(make_alias):
    alias = make_alias(pool={"min_size": 0, "max_size": 1})
    authors = Author.objects.using(alias)
    seen = []

    def note(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    def hook(connection, **kwargs):
        if connection.alias == alias:
            connection.execute_wrappers.append(note)

    connection_created.connect(hook)
    try:
        for _ in range(3):
            await run_sync(read, authors)
    finally:
        connection_created.disconnect(hook)
    assert len(seen) == 6


async def test_logging_that_somebody_forces_sees_them(alias, direct, monkeypatch):
    authors = Author.objects.using(alias)
    monkeypatch.setattr(BaseDatabaseWrapper, "queries_logged", property(lambda wrapper: True))

    def work():
        logged = connections[authors.db].queries_log
        logged.clear()
        read(authors)
        return [query["sql"].split(" ")[0] for query in logged]

    assert await run_sync(work) == ["SELECT", "SELECT"]
    assert len(direct) == 0


class Tagged(QuerySet):
    """A queryset of another library's, with something of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tags = ["made"]


class TaggedAuthors(AsyncQuerySet, Tagged):
    """Both."""


def test_a_constructor_between_ours_and_djangos_is_called():
    authors = TaggedAuthors(Author)

    assert authors.tags == ["made"]
    assert authors.filter(name="Ada").tags == ["made"]
    assert str(authors.filter(name="Ada").query) == str(Author.objects.filter(name="Ada").query)
