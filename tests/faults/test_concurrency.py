"""Many tasks on few connections: everything right, and never more backends than allowed."""

import asyncio
import random

import pytest
from django.db.models import F, Sum

from tests.integration.test_atomic import backend_pid
from tests.testapp.models import Article, Author
from turbo_orm import atomic, pool_stats, run_sync
from turbo_orm.pool import get_pool


async def test_two_hundred_tasks_of_mixed_work_on_a_pool_of_four():
    authors = [await Author.objects.acreate(name=f"{n}", age=100) for n in range(10)]
    randomness = random.Random(7)
    pids = set()

    async def work(number):
        author = authors[number % 10]
        kind = number % 4
        await asyncio.sleep(randomness.random() / 50)
        if kind == 0:
            await Article.objects.acreate(title=f"{number}", author=author)
        elif kind == 1:
            assert (await Author.objects.aget(pk=author.pk)).name == author.name
        elif kind == 2:
            await Author.objects.filter(pk=author.pk).aupdate(age=F("age") + 1)
        else:
            async with atomic():
                await Author.objects.filter(pk=author.pk).aupdate(age=F("age") - 1)
                pids.add(await run_sync(backend_pid))
                await asyncio.sleep(0.001)
                assert (await Author.objects.aget(pk=author.pk)).name == author.name

    await asyncio.gather(*(work(number) for number in range(200)))

    assert await Article.objects.acount() == 50
    assert await Author.objects.aaggregate(total=Sum("age")) == {"total": 1000}
    assert len(pids) <= 4
    assert pool_stats().size <= 4


async def test_transfers_between_accounts_neither_make_nor_lose_anything():
    authors = [await Author.objects.acreate(name=f"{n}", age=1000) for n in range(5)]
    randomness = random.Random(11)

    async def transfer():
        one, other = sorted(randomness.sample([author.pk for author in authors], 2))
        amount = randomness.randint(-50, 50)
        async with atomic():
            rows = Author.objects.select_for_update().filter(pk__in=[one, other]).order_by("pk")
            first, second = await rows.alist()
            first.age -= amount
            second.age += amount
            await first.asave()
            await second.asave()
            if randomness.random() < 0.2:
                raise ArithmeticError("changed its mind")

    results = await asyncio.gather(*(transfer() for _ in range(150)), return_exceptions=True)

    assert {type(result) for result in results} <= {type(None), ArithmeticError}
    assert await Author.objects.aaggregate(total=Sum("age")) == {"total": 5000}


async def test_gathered_queries_outside_a_block_run_on_several_connections_at_once(full_pool):
    def pid_after_a_while():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), pg_sleep(0.05)")
            return cursor.fetchone()[0]

    pids = await asyncio.gather(*(run_sync(pid_after_a_while) for _ in range(4)))

    assert len(set(pids)) == 4


async def test_blocks_of_many_tasks_each_have_their_own_connection():
    async def block(number):
        async with atomic():
            await Author.objects.acreate(name=f"{number}")
            before = await run_sync(backend_pid)
            await asyncio.sleep(0.001)
            assert await run_sync(backend_pid) == before
            if number % 2:
                raise ArithmeticError

    results = await asyncio.gather(*(block(n) for n in range(40)), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), ArithmeticError] * 20
    assert await Author.objects.acount() == 20


async def test_context_variables_of_concurrent_operations_do_not_mix():
    import contextvars

    variable = contextvars.ContextVar("variable")

    def work(number):
        variable.set(number)
        count = Author.objects.count()
        return variable.get() == number and count == 0

    assert all(await asyncio.gather(*(run_sync(work, number) for number in range(100))))


@pytest.mark.parametrize("seed", range(3))
async def test_streams_and_writes_side_by_side_end_with_all_connections_back(seed):
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.abulk_create(
        Article(title=f"{number}", author=author) for number in range(60)
    )
    randomness = random.Random(seed)

    async def read():
        rows = 0
        limit = randomness.randint(1, 60)
        async for _ in Article.objects.order_by("id").aiterator(chunk_size=7):
            rows += 1
            if rows == limit:
                break
        return rows == limit

    async def write():
        await Article.objects.filter(title=str(randomness.randint(0, 59))).aupdate(views=1)
        return True

    work = [read() if randomness.random() < 0.5 else write() for _ in range(40)]
    assert all(await asyncio.gather(*work))
    assert get_pool("default").stats().size <= 4
