"""portal and eager with a database: whose connection, for how long, in which transaction."""

import asyncio

import pytest
from django.db import connections, transaction

from tests.testapp.models import Article, Author
from tests.waiting import PATIENCE
from turbo_orm import atomic, await_, eager, open_pools, pool_stats, portal, run_sync


def one(sql, alias="default"):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def make_articles(count=3):
    ada = await Author.objects.acreate(name="Ada")
    await Article.objects.abulk_create(
        Article(title=f"t{number}", author=ada) for number in range(count)
    )
    return ada


async def test_a_view_touches_lazy_relations_in_a_portal():
    await make_articles()

    async def view():
        article = await Article.objects.afirst()
        await asyncio.sleep(0)
        return article.author.name, [a.title for a in article.author.articles.all()]

    assert await portal(view()) == ("Ada", ["t0", "t1", "t2"])


async def test_connections_go_back_while_the_coroutine_of_a_portal_waits(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 5})
    seen = []

    async def view():
        first = one("SELECT 1", alias)
        held = pool_stats(alias).in_use
        await asyncio.sleep(0)
        seen.append((held, pool_stats(alias).in_use))
        # The only connection is free for another task meanwhile.
        second = await asyncio.create_task(run_sync(one, "SELECT 2", alias))
        return first, second, one("SELECT 3", alias)

    assert await portal(view()) == (1, 2, 3)
    assert seen == [(1, 0)]


async def test_portals_side_by_side_share_a_small_pool(make_alias):
    alias = make_alias(pool={"max_size": 2, "timeout": 5})
    ada = await make_articles()

    async def view(number):
        author = await Author.objects.using(alias).aget(pk=ada.pk)
        await asyncio.sleep(0.001)
        titles = [article.title for article in author.articles.all()]
        await asyncio.sleep(0.001)
        return number, titles, author.articles.count()

    results = await asyncio.gather(*(portal(view(number)) for number in range(20)))
    assert results == [(number, ["t0", "t1", "t2"], 3) for number in range(20)]


async def test_a_synchronous_block_keeps_its_transaction_across_awaits(make_alias):
    alias = make_alias(pool={"max_size": 2})
    pids = []

    async def view():
        with pytest.raises(ZeroDivisionError), transaction.atomic(alias):
            pids.append(one("SELECT pg_backend_pid()", alias))
            Author.objects.using(alias).create(name="gone")
            await asyncio.sleep(0.01)
            pids.append(one("SELECT pg_backend_pid()", alias))
            pids.append(await run_sync(one, "SELECT pg_backend_pid()", alias))
            assert await Author.objects.using(alias).acount() == 1
            raise ZeroDivisionError
        with transaction.atomic(alias):
            Author.objects.using(alias).create(name="kept")
            await asyncio.sleep(0.01)

    await portal(view())

    assert len(set(pids)) == 1
    assert [author.name for author in await Author.objects.alist()] == ["kept"]


async def test_a_block_of_one_portal_is_not_that_of_another():
    inside, written = asyncio.Event(), asyncio.Event()

    async def roll_back():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Author.objects.create(name="gone")
            inside.set()
            await asyncio.wait_for(written.wait(), PATIENCE)
            raise ZeroDivisionError

    async def write():
        await inside.wait()
        Author.objects.create(name="kept")
        written.set()
        return connections["default"].in_atomic_block

    assert await asyncio.gather(portal(roll_back()), portal(write())) == [None, False]
    assert [author.name for author in await Author.objects.alist()] == ["kept"]


async def test_an_open_iterator_keeps_its_connection_across_awaits(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 5})
    await make_articles(10)
    held = []

    async def view():
        titles = []
        for article in Article.objects.using(alias).iterator(chunk_size=2):
            titles.append(article.title)
            await asyncio.sleep(0)
            held.append(pool_stats(alias).in_use)
        await asyncio.sleep(0)
        return titles, pool_stats(alias).in_use

    assert await portal(view()) == ([f"t{number}" for number in range(10)], 0)
    assert set(held[:7]) == {1}


async def test_an_asynchronous_block_in_a_portal_commits():
    async def view():
        async with atomic():
            Author.objects.create(name="sync")
            await asyncio.sleep(0)
            await Author.objects.acreate(name="async")
            async with atomic():
                Author.objects.filter(name="sync").update(age=5)
        return Author.objects.count()

    assert await portal(view()) == 2
    assert await Author.objects.filter(age=5).acount() == 1


async def test_a_synchronous_query_before_an_asynchronous_block_does_not_block_it(make_alias):
    alias = make_alias(pool={"max_size": 1, "timeout": 2})

    async def view():
        one("SELECT 1", alias)
        async with atomic(alias):
            return one("SELECT 2", alias), await run_sync(one, "SELECT 3", alias)

    assert await portal(view()) == (2, 3)


async def test_children_of_a_portal_have_connections_of_their_own(make_alias):
    alias = make_alias(pool={"max_size": 4, "min_size": 4})
    await open_pools(alias)
    sql = "SELECT pg_backend_pid() FROM (SELECT pg_sleep(0.1)) slept"

    async def view():
        one("SELECT 1", alias)
        return await asyncio.gather(*(run_sync(one, sql, alias) for _ in range(3)))

    assert len(set(await portal(view()))) == 3


async def test_an_eager_job_that_asks_nothing_of_the_database_takes_no_connection():
    ada = await make_articles()
    await run_sync(one, "SELECT 1")
    before = pool_stats().requests
    article = await Article.objects.select_related("author").afirst()

    assert eager(getattr, article, "author") == ada
    assert pool_stats().requests == before + 1


async def test_eager_jobs_query_side_by_side():
    await make_articles(6)
    articles = await Article.objects.alist()

    rests = [eager(lambda article=article: article.author.name) for article in articles]

    assert await asyncio.gather(*rests) == ["Ada"] * 6


async def test_eager_jobs_side_by_side_do_not_share_a_transaction():
    inside, written = asyncio.Event(), asyncio.Event()

    def roll_back():
        with transaction.atomic():
            Author.objects.create(name="gone")
            inside.set()
            await_(asyncio.wait_for(written.wait(), PATIENCE))
            transaction.set_rollback(True)

    def write():
        await_(inside.wait())
        Author.objects.create(name="kept")
        written.set()
        return connections["default"].in_atomic_block

    # Both are suspended jobs of this one task.
    rests = [eager(roll_back), eager(write)]
    assert await asyncio.gather(*rests) == [None, False]
    assert [author.name for author in await Author.objects.alist()] == ["kept"]


async def test_eager_jobs_inside_a_block_take_part_in_its_transaction():
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await asyncio.gather(
                *(eager(Author.objects.create, name=f"a{number}") for number in range(4))
            )
            assert await Author.objects.acount() == 4
            raise ZeroDivisionError
    assert await Author.objects.acount() == 0


async def test_an_eager_job_that_is_closed_gives_its_connection_back():
    written = asyncio.Event()

    def write():
        with transaction.atomic():
            Author.objects.create(name="gone")
            written.set()
            await_(asyncio.sleep(30))

    rest = eager(write)
    task = asyncio.create_task(rest)
    await written.wait()
    rest.close()
    task.cancel()
    await asyncio.wait({task})
    assert await Author.objects.acount() == 0
