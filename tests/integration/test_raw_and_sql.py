"""Raw queries, cursors, and what watches statements: logs, counters, hooks."""

import asyncio
import logging

import pytest
from django.db import ProgrammingError, connection, connections
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Author, Tag
from turbo_orm import AsyncRawQuerySet, atomic, run_sync

SELECT = "SELECT * FROM testapp_author WHERE name = %s"


@pytest.fixture
async def ada():
    return await Author.objects.acreate(name="Ada", age=36)


@pytest.fixture
def logged(caplog):
    """Messages of Django's query logger; pytest's handler sits at the root."""
    caplog.set_level(logging.DEBUG, logger="django.db.backends")
    return lambda: [record.sql for record in caplog.records if hasattr(record, "sql")]


async def test_raw_gives_instances_to_await_and_to_iterate(ada):
    raw = Author.objects.raw(SELECT, ["Ada"])

    assert type(raw) is AsyncRawQuerySet
    assert await raw.alist() == [ada]
    assert [author async for author in raw] == [ada]


async def test_raw_fetches_once_and_caches(ada):
    raw = Author.objects.raw(SELECT, ["Ada"])

    with CaptureQueriesContext(connection) as queries:
        first = await raw.alist()
        second = [author async for author in raw]

    assert len(queries) == 1
    assert first[0] is second[0]
    assert raw[0] is first[0]


async def test_araw_gives_a_list_with_parameters_by_name(ada):
    found = await Author.objects.araw(SELECT.replace("%s", "%(name)s"), {"name": "Ada"})

    assert found == [ada]


async def test_araw_heeds_translations_and_annotations(ada):
    sql = "SELECT id, name AS moniker, age * 2 AS double FROM testapp_author"
    (found,) = await Author.objects.araw(sql, translations={"moniker": "name"})

    assert (found.pk, found.name, found.double) == (ada.pk, "Ada", 72)
    assert found.get_deferred_fields() == {"age"}


async def test_raw_prefetches(ada):
    await ada.articles.acreate(title="one")
    (found,) = await Author.objects.raw(SELECT, ["Ada"]).prefetch_related("articles").alist()

    assert [article.title for article in found.articles.all()] == ["one"]


async def test_raw_asks_the_database_it_was_told(ada):
    await Author(name="There").asave(using="other")
    sql = "SELECT * FROM testapp_author"

    by_method = await Author.objects.raw(sql).using("other").alist()
    by_argument = await Author.objects.araw(sql, using="other")

    assert [author.name for author in (*by_method, *by_argument)] == ["There", "There"]
    assert [author._state.db for author in by_method] == ["other"]


async def test_a_mistake_in_raw_sql_is_djangos_error(ada):
    with pytest.raises(ProgrammingError):
        await Author.objects.araw("SELECT nonsense FROM testapp_author")


async def test_a_cursor_works_in_the_bridge(ada):
    def read():
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, age FROM testapp_author")
            columns = [column.name for column in cursor.description]
            return columns, cursor.fetchall(), cursor.rowcount

    assert await run_sync(read) == (["name", "age"], [("Ada", 36)], 1)


async def test_a_cursor_can_execute_many_and_copy():
    def write():
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO testapp_tag (name) VALUES (%s)", [("a",), ("b",)])
            with cursor.copy("COPY testapp_tag (name) FROM STDIN") as copy:
                copy.write_row(["c"])

    await run_sync(write)

    assert await Tag.objects.order_by("pk").values_list("name", flat=True).alist() == [*"abc"]


async def test_queries_can_be_captured_around_awaited_code(ada):
    with CaptureQueriesContext(connection) as queries:
        await Author.objects.aget(pk=ada.pk)
        await Tag.objects.acreate(name="x")
    await Author.objects.acount()

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "INSERT"]


async def test_queries_can_be_captured_in_the_bridge(ada):
    def read():
        with CaptureQueriesContext(connection) as queries:
            Author.objects.get()
            Author.objects.count()
        return len(queries)

    assert await run_sync(read) == 2


async def test_queries_of_tasks_are_captured_by_who_started_them(ada):
    async def watched(times):
        with CaptureQueriesContext(connection) as queries:
            await asyncio.gather(*(Author.objects.acount() for _ in range(times)))
            await asyncio.sleep(0.01)
        return len(queries)

    assert await asyncio.gather(watched(1), watched(2), watched(3)) == [1, 2, 3]


async def test_queries_of_a_block_are_captured_with_its_savepoints(ada):
    with CaptureQueriesContext(connection) as queries:
        async with atomic(), atomic():
            await ada.asave()

    kinds = [query["sql"].split()[0] for query in queries if query["sql"]]
    assert [kind for kind in kinds if kind != "BEGIN"] == [
        *("SAVEPOINT", "UPDATE", "RELEASE", "COMMIT")
    ]


async def test_queries_of_another_alias_are_not_captured(ada):
    with CaptureQueriesContext(connections["other"]) as queries:
        await Author.objects.acount()
        await Author.objects.using("other").acount()

    assert len(queries) == 1


async def test_djangos_assertion_counts_awaited_queries(ada):
    case = TestCase()

    with case.assertNumQueries(2):
        await Author.objects.acount()
        await Author.objects.acount()
    wrong = pytest.raises(AssertionError, match="1 queries executed, 0 expected")
    with wrong, case.assertNumQueries(0):
        await Author.objects.acount()


async def test_djangos_assertion_counts_in_the_bridge(ada):
    await run_sync(TestCase().assertNumQueries, 1, Author.objects.count)


@override_settings(DEBUG=True)
async def test_with_debug_queries_are_kept_for_the_connection(ada):
    def read():
        Author.objects.count()
        return [query["sql"] for query in connection.queries]

    inside = await run_sync(read)

    assert "COUNT(*)" in inside[-1]
    assert [query["sql"] for query in connection.queries] == inside


async def test_without_debug_no_query_is_kept(ada):
    await Author.objects.acount()

    assert connection.queries == []


@override_settings(DEBUG=True)
async def test_with_debug_queries_are_logged(ada, logged):
    await Author.objects.acount()

    assert [sql for sql in logged() if "COUNT(*)" in sql] == [
        'SELECT COUNT(*) AS "__count" FROM "testapp_author"'
    ]


def hook_into(seen):
    def hook(execute, sql, params, many, context):
        seen.append((sql.split()[0], context["connection"].alias))
        return execute(sql, params, many, context)

    return hook


async def test_a_hook_is_called_around_awaited_statements(ada):
    seen = []

    with connection.execute_wrapper(hook_into(seen)):
        await Author.objects.acount()
        await ada.asave()
        await Author.objects.using("other").acount()
    await Author.objects.acount()

    assert seen == [("SELECT", "default"), ("UPDATE", "default")]


async def test_a_hook_is_called_around_statements_in_the_bridge(ada):
    seen = []

    def read():
        with connection.execute_wrapper(hook_into(seen)):
            Author.objects.count()
        Author.objects.count()

    await run_sync(read)

    assert seen == [("SELECT", "default")]


async def test_a_hook_is_called_inside_a_block(ada):
    seen = []

    async with atomic():
        with connection.execute_wrapper(hook_into(seen)):
            await Author.objects.acount()
        await Author.objects.acount()

    assert seen == [("SELECT", "default")]


async def test_hooks_of_tasks_side_by_side_do_not_mix(ada):
    async def watched(times):
        seen = []
        with connection.execute_wrapper(hook_into(seen)):
            for _ in range(times):
                await Author.objects.acount()
                await asyncio.sleep(0)
        return len(seen)

    assert await asyncio.gather(watched(1), watched(2), watched(3)) == [1, 2, 3]


async def test_hooks_nest_with_the_first_outermost(ada):
    order = []

    def hook(name):
        def wrapped(execute, *args):
            order.append(f"{name} before")
            result = execute(*args)
            order.append(f"{name} after")
            return result

        return wrapped

    with connection.execute_wrapper(hook("outer")), connection.execute_wrapper(hook("inner")):
        await Author.objects.acount()

    assert order == ["outer before", "inner before", "inner after", "outer after"]


async def test_a_hook_that_refuses_stops_the_statement(ada):
    def blocker(*args):
        raise RuntimeError("no queries here")

    refused = pytest.raises(RuntimeError, match="no queries here")
    with connection.execute_wrapper(blocker), refused:
        await Author.objects.acount()

    assert await Author.objects.acount() == 1


async def test_raw_query_keeps_the_prefetches_of_its_queryset(ada):
    await ada.articles.acreate(title="One")
    queryset = Author.objects.prefetch_related("articles")

    with CaptureQueriesContext(connection) as queries:
        [author] = await queryset.raw(SELECT, ["Ada"]).alist()

    assert len(queries) == 2
    assert [article.title for article in author.articles.all()] == ["One"]
