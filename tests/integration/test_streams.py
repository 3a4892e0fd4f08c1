"""`aiterator`: rows from a server-side cursor, and the connection that it holds meanwhile."""

import asyncio
import inspect
from contextlib import aclosing

import pytest
from django.db import connection, connections, transaction
from django.db.models import Prefetch
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext

from tests.testapp.models import Article, Author
from tests.waiting import until
from turbo_orm import atomic, eager, pool_stats, portal, run_sync

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


async def count_first(alias):
    """A synchronous query, which leaves its connection with the job."""
    return Author.objects.using(alias).count()


async def load_lazily(alias):
    article = await Article.objects.using(alias).afirst()
    return article.author.name


async def iterate_first(alias):
    return [author.pk for author in Author.objects.using(alias).iterator(chunk_size=2)]


async def use_cursor_first(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1")


async def gather_first(alias):
    Author.objects.using(alias).count()
    await asyncio.gather(*(Author.objects.using(alias).acount() for _ in range(3)))


async def nest_first(alias):
    await run_sync(Author.objects.using(alias).count)
    await portal(count_first(alias))
    waiting = eager(Author.objects.using(alias).count)
    if inspect.isawaitable(waiting):
        await waiting


async def write_in_block_first(alias):
    with transaction.atomic(using=alias):
        Author.objects.using(alias).update(age=1)
        await Author.objects.using(alias).acount()


FIRST = [
    *(count_first, load_lazily, iterate_first, use_cursor_first, gather_first, nest_first),
    write_in_block_first,
]


@pytest.mark.commits
@pytest.mark.parametrize("first", FIRST)
async def test_a_portal_that_streams_after_a_query_holds_one_connection(
    articles, make_alias, first
):
    alias = make_alias(pool={"max_size": 2, "timeout": 10})

    async def view():
        await first(alias)
        queryset = Article.objects.using(alias).prefetch_related("author")
        return len([article async for article in queryset.aiterator(chunk_size=10)])

    # More of them than connections: if each held one while it waits for another, they would hang.
    assert await asyncio.gather(*(portal(view()) for _ in range(6))) == [25] * 6


@pytest.mark.commits
async def test_requests_with_a_session_that_stream_hold_one_connection(articles, serve, logged_in):
    async def view(request):
        assert request.user.username == "reader"

        async def rows():
            async for article in Article.objects.order_by("id").aiterator(chunk_size=10):
                yield f"{article.title} "

        return StreamingHttpResponse(rows())

    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    client = await logged_in(serve({"": view}, middleware=middleware))
    answers = await asyncio.gather(*(client.get("/") for _ in range(12)))

    assert [answer.text.split() for answer in answers] == [[f"{n}" for n in range(25)]] * 12
