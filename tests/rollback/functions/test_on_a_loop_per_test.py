"""pytest-asyncio, a loop per test."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from bank.models import Account, Currency, Entry
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.test.testcases import DatabaseOperationForbidden

from turbo_orm import atomic, on_commit, pool_stats, run_sync
from turbo_orm.test import hops, leaks

pytestmark = pytest.mark.asyncio


async def owners(alias="default"):
    return [account.owner async for account in Account.objects.using(alias)]


async def test_the_test_begins_with_nothing(turbo_db):
    assert await owners() == []


async def test_rows_of_synchronous_fixtures_are_there(ada, entry):
    assert await owners() == ["Ada", "Baked"]


async def test_rows_of_asynchronous_fixtures_are_there(ada, grace):
    assert await owners() == ["Ada", "Grace"]


async def test_synchronous_code_sees_rows_of_coroutines(grace):
    assert await run_sync(lambda: list(Account.objects.values_list("owner"))) == [("Grace",)]


async def test_code_that_would_go_to_a_thread_sees_them_too(ada, account_factory):
    await sync_to_async(account_factory)(owner="Zoe")
    assert await owners() == ["Ada", "Zoe"]


async def test_the_pool_is_not_asked(ada):
    await owners()
    assert pool_stats().size == 0


async def test_a_block_is_rolled_back_alone(ada):
    with pytest.raises(IntegrityError):
        async with atomic():
            await Account.objects.acreate(owner="Ada")
    assert await owners() == ["Ada"]


async def test_blocks_of_tasks_follow_each_other(ada):
    async def add(number):
        async with atomic():
            await Entry.objects.acreate(account=ada, amount=number)
            await asyncio.sleep(0)
            assert await Entry.objects.filter(amount=number).acount() == 1

    await asyncio.gather(*(add(number) for number in range(10)))
    assert await ada.entries.acount() == 10


async def test_queries_of_tasks_are_counted(ada, turbo_assert_num_queries):
    with turbo_assert_num_queries(5):
        await asyncio.gather(*(owners() for _ in range(5)))


async def test_a_wrong_count_fails(turbo_db, turbo_assert_num_queries):
    with pytest.raises(pytest.fail.Exception, match="Expected"):
        with turbo_assert_num_queries(2, info="one too few"):
            await owners()


async def test_a_view_sees_the_rows(ada, turbo_async_client):
    assert (await turbo_async_client.get("/accounts/")).json() == {"Ada": 100}
    assert (await turbo_async_client.get("/accounts-in-thread/")).json() == {"Ada": 100}


async def test_a_user_stays_logged_in(turbo_db, turbo_async_client):
    user = await run_sync(User.objects.create_user, "ada", password="secret")
    await run_sync(turbo_async_client.force_login, user)
    assert (await turbo_async_client.get("/whoami/")).content == b"ada 1"
    assert (await turbo_async_client.get("/whoami/")).content == b"ada 2"


@pytest.mark.django_db(databases=["default", "other"])
async def test_both_databases_may_be_named(turbo_db):
    await Account.objects.acreate(owner="here")
    await Account.objects.using("other").acreate(owner="there")
    assert (await owners(), await owners("other")) == (["here"], ["there"])


async def test_a_database_that_is_not_named_is_refused(turbo_db):
    with pytest.raises(DatabaseOperationForbidden, match="'other'"):
        await owners("other")


async def test_the_transactional_fixture_commits(turbo_transactional_db):
    called = []
    async with leaks():
        async with atomic():
            await Account.objects.acreate(owner="Ada")
            await on_commit(lambda: called.append("now"))
        assert called == ["now"]
        assert await asyncio.gather(*(owners() for _ in range(5))) == [["Ada"]] * 5
    assert pool_stats().size > 0


async def test_and_empties_the_tables(turbo_transactional_db):
    assert await owners() == []


@pytest.mark.django_db(transaction=True)
async def test_the_mark_makes_a_test_transactional(turbo_db):
    assert not await run_sync(lambda: connection.in_atomic_block)
    await Account.objects.acreate(owner="Ada")
    assert pool_stats().size > 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("time", ["first", "second"])
async def test_rows_of_migrations_come_back(turbo_db, time):
    assert [currency.code async for currency in Currency.objects.all()] == ["EUR"]
    await Currency.objects.all().adelete()


async def test_a_transaction_that_is_left_open_is_told(turbo_transactional_db):
    block = atomic()
    with pytest.raises(AssertionError, match="backend .* of database 'default' was not given back"):
        async with leaks(within=0.05):
            await block.__aenter__()
            await Account.objects.acreate(owner="Ada")
    await block.__aexit__(None, None, None)


async def test_a_block_that_is_left_open_is_told(turbo_db):
    block = atomic()
    with pytest.raises(AssertionError, match="^1 atomic blocks of database 'default' are still"):
        async with leaks(within=0.05):
            await block.__aenter__()
    await block.__aexit__(None, None, None)


async def test_leaks_in_a_block_are_those_of_the_inner_one(turbo_db):
    async with atomic(), leaks():
        await Account.objects.acreate(owner="Ada")


@pytest.mark.no_threads
async def test_a_marked_test_sends_nothing_to_threads(ada):
    assert await owners() == ["Ada"]


async def test_what_would_go_to_threads_is_told(ada):
    with hops() as found:
        await sync_to_async(len)("abc")
        await asyncio.to_thread(len, "abc")
    assert found.threads == ["builtins.len"] * 2


@pytest.mark.pytest_django
async def test_a_test_that_asks_for_no_database_gets_none():
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        await owners()
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        await run_sync(Account.objects.count)


@pytest.mark.pytest_django
async def test_pytest_djangos_own_fixture_refuses_the_pool_and_names_ours(db):
    with pytest.raises(Exception, match="turbo_db"):
        await owners()
