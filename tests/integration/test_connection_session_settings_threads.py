"""`session_settings` in threads, in coroutines that synchronous code calls, and without a loop."""

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, connections, transaction

from tests.tenants import (
    SETTING,
    around_block,
    awaited,
    by_copy,
    copied,
    execute,
    in_block,
    in_savepoint,
    stream,
    streamed,
    tenant,
    tenant_is,
)
from tests.testapp.models import Author
from turbo_orm import atomic, run_sync, session_settings


@pytest.fixture
def alias(make_alias):
    return make_alias(pool={"min_size": 1, "max_size": 1})


@pytest.mark.needs_thread("synchronous code in threads of Django's")
async def test_threads_of_the_request_have_it_and_threads_of_others_not():
    await sync_to_async(tenant)()
    with tenant_is("15"):
        assert await sync_to_async(tenant)() == "15"
        assert await sync_to_async(in_thread_s_block)() == ["15", "16", "15"]
        assert await asyncio.get_running_loop().run_in_executor(None, own_thread) == ""
    assert await sync_to_async(tenant)() == ""
    await sync_to_async(lambda: connections["default"].close())()


def own_thread():
    try:
        return tenant()
    finally:
        connections["default"].close()


def in_thread_s_block():
    with transaction.atomic():
        found = [tenant()]
        with tenant_is("16"):
            found.append(tenant())
        return [*found, tenant()]


@pytest.mark.needs_thread("synchronous code in threads of Django's")
async def test_a_thread_in_a_block_has_it_on_the_block_s_connection(alias):
    async with atomic(alias):
        pid = await run_sync(tenant, alias, "SELECT pg_backend_pid()::text")
        with tenant_is("20"):
            assert await sync_to_async(tenant)(alias) == "20"
            assert await sync_to_async(tenant)(alias, "SELECT pg_backend_pid()::text") == pid
            with tenant_is("21"):
                assert await sync_to_async(tenant)(alias) == "21"
            assert await sync_to_async(both_ways)(alias) == ["20", "22", "20"]
        assert await sync_to_async(tenant)(alias) == ""
        assert await awaited(alias) == ""
    assert await awaited(alias) == ""


def both_ways(alias):
    """In a thread in which a block waits: synchronous code, a coroutine, synchronous code."""
    with tenant_is("22"):
        found = async_to_sync(awaited)(alias)
    return [tenant(alias), found, async_to_sync(awaited)(alias)]


@pytest.mark.needs_thread("synchronous code in threads of Django's")
async def test_threads_and_tasks_of_one_block_each_have_their_own(alias):
    async def in_thread(value):
        with tenant_is(value):
            return await sync_to_async(lambda: [tenant(alias) for _ in range(5)])()

    async def in_task_of_block(value):
        with tenant_is(value):
            return [await awaited(alias) for _ in range(5)]

    ways = [in_thread, in_task_of_block] * 4
    async with atomic(alias):
        found = await asyncio.gather(*(way(str(n)) for n, way in enumerate(ways)))
        assert await awaited(alias) == ""
    assert found == [[str(number)] * 5 for number in range(len(ways))]


@pytest.mark.needs_thread("coroutines that synchronous code calls")
class TestACoroutineThatSynchronousCodeCalls:
    """The coroutine is at the connection of the thread that waits for it."""

    @staticmethod
    async def pid():
        return await run_sync(tenant, "default", "SELECT pg_backend_pid()::text")

    def test_it_holds_on_the_connection_of_the_thread(self):
        pid = tenant(sql="SELECT pg_backend_pid()::text")
        with tenant_is("23"):
            assert async_to_sync(awaited)("default") == "23"
            assert async_to_sync(self.pid)() == pid
            assert tenant() == "23"
        assert async_to_sync(awaited)("default") == ""
        assert tenant() == ""

    @pytest.mark.parametrize("way", [in_block, in_savepoint, around_block, streamed, by_copy])
    def test_it_holds_on_each_way(self, way):
        Author.objects.create(name="Ada")
        for value in ("24", "25"):
            with tenant_is(value):
                assert [async_to_sync(way)("default") for _ in range(2)] == [value] * 2
            assert async_to_sync(way)("default") in ("", None)
        assert tenant() == ""

    def test_a_setting_of_the_coroutine_s_own_ends_with_it(self):
        async def own():
            with tenant_is("26"):
                return await awaited("default")

        with transaction.atomic():
            assert (async_to_sync(own)(), tenant()) == ("26", "")
        assert (async_to_sync(own)(), tenant()) == ("26", "")

    def test_gathered_tasks_each_have_their_own(self):
        async def child(value):
            with tenant_is(value):
                return [await awaited("default") for _ in range(5)]

        async def gathered():
            return await asyncio.gather(*(child(str(number)) for number in range(6)))

        expected = [[str(number)] * 5 for number in range(6)]
        assert async_to_sync(gathered)() == expected
        with transaction.atomic():
            assert async_to_sync(gathered)() == expected
        assert tenant() == ""

    def test_a_named_cursor_and_a_transaction_of_psycopg_s_work_without_settings(self):
        def use():
            connections["default"].ensure_connection()
            plain = connections["default"].connection
            with plain.transaction(), plain.cursor("held", withhold=True) as cursor:
                return cursor.execute("SELECT 1").fetchall()

        async def coroutine():
            return await run_sync(use)

        assert async_to_sync(coroutine)() == [(1,)]


class TestWithoutALoop:
    """A management command: no event loop at all."""

    def test_it_holds_and_ends(self):
        assert tenant() == ""
        with tenant_is("17"):
            assert [tenant(), copied("default"), stream("default")] == ["17"] * 3
            assert in_thread_s_block() == ["17", "16", "17"]
        assert tenant() == ""

    def test_a_server_side_cursor_has_it(self):
        Author.objects.create(name="Ada")
        rows = Author.objects.annotate(tenant=SETTING).values_list("tenant", flat=True)
        with tenant_is("18"):
            assert list(rows.iterator()) == ["18"]
            with transaction.atomic():
                assert list(rows.iterator()) == ["18"]
        assert list(rows.iterator()) == [""]

    def test_what_the_thread_sets_itself_stays_as_in_plain_django(self):
        for value in ("a", "b"):
            with tenant_is("21"):
                assert tenant() == "21"
            execute("default", f"SET turbo.tenant = '{value}'")
            assert [tenant(), tenant()] == [value] * 2
            with tenant_is("22"):
                assert tenant() == "22"
            assert tenant() == value

    def test_connections_of_threads_begun_earlier_have_it(self):
        """As where the first use of all comes after a thread's connection."""
        from turbo_orm.connection.threads import _threads

        tenant()
        with tenant_is("23"):
            assert tenant() == "23"
        plain = connections["default"].connection
        assert plain in _threads.connections
        assert [cls.__name__ for cls in type(plain.cursor()).__mro__].count("Watched") == 1

    @pytest.mark.needs_thread("a coroutine that waits for a thread")
    def test_it_holds_through_async_to_sync(self):
        with tenant_is("19"):
            # In a thread of asgiref's.
            assert async_to_sync(sync_to_async(own_thread))() == "19"
        assert tenant() == ""

    def test_an_error_of_a_thread_s_leaves_the_connection_usable(self):
        with session_settings(statement_timeout="x"), pytest.raises(DatabaseError):
            tenant()
        assert tenant() == ""
