"""`aiterator`: rows from a server-side cursor, and the connection that it holds meanwhile."""

from contextlib import aclosing

import pytest
from django.db import connection, transaction
from django.db.models import Prefetch
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Article, Author
from tests.waiting import until
from turbo_orm import atomic, pool_stats, run_sync

pytestmark = pytest.mark.rolled_back


@pytest.fixture
async def articles():
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.abulk_create(Article(title=f"{n}", author=author) for n in range(25))


async def until_lent(count: int) -> None:
    """Wait until so many connections are out; some may be on their way back."""
    await until(lambda: pool_stats().in_use == count, told=pool_stats)


@pytest.mark.commits
async def test_stream_gives_every_row_in_order(articles):
    titles = [a.title async for a in Article.objects.order_by("id").aiterator(chunk_size=4)]

    assert titles == [f"{n}" for n in range(25)]
    await until_lent(0)


@pytest.mark.commits
async def test_stream_fetches_from_a_cursor_on_the_server_chunk_by_chunk(articles):
    with CaptureQueriesContext(connection) as queries:
        rows = Article.objects.order_by("id").aiterator(chunk_size=10)
        async with aclosing(rows):
            await anext(rows)
            names = await run_sync(cursors_of_all_sessions)

    assert len(queries) == 2
    assert names == 1


def cursors_of_all_sessions() -> int:
    """Count backends whose last statement was a fetch from one of Django's named cursors."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query LIKE 'FETCH FORWARD%_django_curs_%'"
        )
        return cursor.fetchone()[0]


@pytest.mark.commits
async def test_stream_holds_a_connection_of_its_own_while_other_queries_run(articles):
    async with aclosing(Article.objects.order_by("id").aiterator(chunk_size=5)) as rows:
        await anext(rows)
        await until_lent(1)
        assert await Article.objects.acount() == 25
        assert [row.title async for row in rows] == [f"{n}" for n in range(1, 25)]

    await until_lent(0)


@pytest.mark.commits
async def test_closing_a_stream_gives_its_connection_back_at_once(articles):
    async with aclosing(Article.objects.aiterator(chunk_size=5)) as rows:
        async for _ in rows:
            break

    await until_lent(0)


@pytest.mark.commits
async def test_stream_that_is_dropped_gives_its_connection_back(articles):
    async for _ in Article.objects.aiterator(chunk_size=5):
        break

    await until_lent(0)


@pytest.mark.commits
async def test_stream_prefetches_for_each_chunk(articles):
    author = await Author.objects.aget()
    queryset = Author.objects.prefetch_related(Prefetch("articles", to_attr="loaded"))

    found = [a async for a in queryset.aiterator(chunk_size=5)]

    assert found == [author]
    assert len(found[0].loaded) == 25


@pytest.mark.commits
async def test_stream_inside_a_block_sees_its_rows_and_shares_its_connection(articles):
    async with atomic():
        await Article.objects.filter(title="0").aupdate(title="changed")
        seen = []
        async for article in Article.objects.order_by("id").aiterator(chunk_size=10):
            seen.append(article.title)
            if len(seen) == 3:
                await Article.objects.acount()
        await until_lent(1)

    assert seen == ["changed", *(f"{n}" for n in range(1, 25))]


async def test_stream_left_open_when_its_block_ends_is_closed_quietly(articles):
    async with atomic():
        rows = Article.objects.order_by("id").aiterator(chunk_size=5)
        await anext(rows)
    await rows.aclose()

    assert await Article.objects.acount() == 25


async def test_server_side_cursors_can_be_switched_off(articles, monkeypatch):
    settings = transaction.get_connection().settings_dict
    monkeypatch.setitem(settings, "DISABLE_SERVER_SIDE_CURSORS", True)

    with CaptureQueriesContext(connection) as queries:
        rows = [a async for a in Article.objects.aiterator(chunk_size=10)]

    assert (len(rows), len(queries)) == (25, 1)
    assert "DECLARE" not in queries[0]["sql"]


async def test_rows_other_than_models_are_streamed_too(articles):
    values = Article.objects.order_by("id").values_list("title", flat=True)

    assert [title async for title in values.aiterator(chunk_size=7)] == [f"{n}" for n in range(25)]


@pytest.mark.parametrize("size", [0, -1])
async def test_chunks_must_have_a_size(size):
    with pytest.raises(ValueError, match=r"strictly positive"):
        await anext(Article.objects.aiterator(chunk_size=size))


@pytest.mark.commits
async def test_failing_stream_raises_djangos_error_and_gives_its_connection_back(articles):
    from django.db import DataError

    broken = Article.objects.extra(select={"bad": "1 / (id - id)"})
    with pytest.raises(DataError):
        async for _ in broken.aiterator(chunk_size=5):
            pass

    await until_lent(0)
