"""The body of a loop over `aiterator()` has the loop's connection where there is no other."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.db.models.signals import post_init
from django.db.transaction import TransactionManagementError
from django.db.utils import IntegrityError, OperationalError, ProgrammingError

from tests.testapp.models import Article, Author
from turbo_orm import ConnectionLimit, atomic, portal, run_sync

pytestmark = pytest.mark.commits

ROWS = 6


@pytest.fixture
def alias(make_alias):
    """A database with one connection: who holds it and waits for another gets none."""
    return make_alias(pool={"min_size": 1, "max_size": 1, "timeout": 10})


@pytest.fixture(autouse=True)
async def articles():
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.abulk_create(Article(title=f"{n}", author=author) for n in range(ROWS))


def stream(alias):
    return Article.objects.using(alias).order_by("pk").aiterator(chunk_size=2)


def loop(alias):
    return Article.objects.using(alias).order_by("pk").iterator(chunk_size=2)


def titles():
    """Return what the titles are now."""
    return [*Article.objects.order_by("pk").values_list("title", flat=True)]


# Bodies: for Turbo ORM, and what Django does in their place.


async def acount(article, alias):
    return await Article.objects.using(alias).acount()


def count(article, alias):
    return Article.objects.using(alias).count()


async def asave(article, alias):
    article.title += " saved"
    await article.asave()


def save(article, alias):
    article.title += " saved"
    article.save()


async def in_run_sync(article, alias):
    return await run_sync(in_synchronous_block, article, alias)


def in_synchronous_block(article, alias):
    with transaction.atomic(using=alias):
        Article.objects.using(alias).filter(pk=article.pk).update(title="block")
        return Article.objects.using(alias).get(pk=article.pk).title


async def in_portal(article, alias):
    async def view():
        first = article.author.name
        return first, await Article.objects.using(alias).aexists()

    return await portal(view())


def of_portal(article, alias):
    return article.author.name, Article.objects.using(alias).exists()


async def in_ablock(article, alias):
    async with atomic(using=alias):
        await Article.objects.using(alias).filter(pk=article.pk).aupdate(title="half")
        return await Article.objects.using(alias).filter(title="half").acount()


def in_block(article, alias):
    with transaction.atomic(using=alias):
        Article.objects.using(alias).filter(pk=article.pk).update(title="half")
        return Article.objects.using(alias).filter(title="half").count()


async def in_thread_of_ablock(article, alias):
    async with atomic(using=alias):
        await Article.objects.using(alias).filter(pk=article.pk).aupdate(title="half")
        return await sync_to_async(in_synchronous_block)(article, alias)


def in_block_of_block(article, alias):
    with transaction.atomic(using=alias):
        Article.objects.using(alias).filter(pk=article.pk).update(title="half")
        return in_synchronous_block(article, alias)


async def in_failing_ablock(article, alias):
    with pytest.raises(IntegrityError):
        async with atomic(using=alias):
            await Article.objects.using(alias).filter(pk=article.pk).aupdate(title="lost")
            await Author.objects.using(alias).acreate(pk=article.author_id)


def in_failing_block(article, alias):
    with pytest.raises(IntegrityError), transaction.atomic(using=alias):
        Article.objects.using(alias).filter(pk=article.pk).update(title="lost")
        Author.objects.using(alias).create(pk=article.author_id)


async def in_astream(article, alias):
    return [found.title async for found in stream(alias)]


def in_loop(article, alias):
    return [found.title for found in loop(alias)]


async def in_astream_in_ablock(article, alias):
    async with atomic(using=alias):
        return [await acount(found, alias) async for found in stream(alias)]


def in_loop_in_block(article, alias):
    with transaction.atomic(using=alias):
        return [count(found, alias) for found in loop(alias)]


async def in_failing_statement(article, alias):
    with pytest.raises(ProgrammingError):
        await Article.objects.using(alias).extra(where=["nonsense"]).acount()


def in_failing_statement_of_django(article, alias):
    with pytest.raises(ProgrammingError):
        Article.objects.using(alias).extra(where=["nonsense"]).count()


THREAD = pytest.mark.needs_thread("the block is lent to one")
BODIES = [
    *((acount, count), (asave, save), (in_run_sync, in_synchronous_block)),
    *((in_portal, of_portal), (in_ablock, in_block), (in_failing_ablock, in_failing_block)),
    pytest.param(in_thread_of_ablock, in_block_of_block, marks=THREAD),
    *((in_astream, in_loop), (in_astream_in_ablock, in_loop_in_block)),
    (in_failing_statement, in_failing_statement_of_django),
]


async def read(alias, body):
    return [(article.title, await body(article, alias)) async for article in stream(alias)]


def read_as_django(alias, body):
    return [(article.title, body(article, alias)) for article in loop(alias)]


def set_back(alias, rows):
    for pk, title in rows:
        Article.objects.using(alias).filter(pk=pk).update(title=title)


def name_of(body):
    return body.__name__


@pytest.mark.parametrize("in_job", [False, True], ids=["", "in a portal"])
@pytest.mark.parametrize(("body", "django"), BODIES, ids=name_of)
async def test_a_body_gets_what_it_gets_in_django_with_one_connection(alias, body, django, in_job):
    rows = await run_sync(lambda: [*Article.objects.order_by("pk").values_list("pk", "title")])
    judged = await run_sync(read_as_django, alias, django), await run_sync(titles)
    await run_sync(set_back, alias, rows)

    found = await (portal(read(alias, body)) if in_job else read(alias, body))

    assert (found, await run_sync(titles)) == judged


async def test_more_loops_than_connections_never_wait_for_each_other(make_alias):
    alias = make_alias(pool={"min_size": 2, "max_size": 2, "timeout": 10})
    bodies = [acount, in_ablock, in_astream, in_run_sync, in_portal, asave]

    found = await asyncio.gather(*(read(alias, body) for body in bodies))

    assert [len(each) for each in found] == [ROWS] * len(bodies)


def backend(alias):
    """Return the session that executes this, and how many cursors are open there."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), (SELECT count(*) FROM pg_cursors)")
        return cursor.fetchone()


async def test_where_there_are_others_the_body_and_its_tasks_have_those(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 2, "timeout": 10})

    async for _ in stream(alias):
        found = [await run_sync(backend, alias)]
        found += await asyncio.gather(*(run_sync(backend, alias) for _ in range(2)))
        # The other session, where no cursor is open.
        assert found == [found[0]] * 3
        assert found[0][1] == 0


async def test_a_loop_in_a_limit_of_one_connection_executes_its_body(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 3, "timeout": 10})

    with ConnectionLimit(1).apply():
        assert await read(alias, acount) == [(f"{n}", ROWS) for n in range(ROWS)]


@pytest.mark.parametrize("first_to_end", [0, 1])
async def test_streams_that_are_read_in_turn_share_a_connection(alias, first_to_end):
    streams = [stream(alias), stream(alias)]
    seen = [(await anext(streams[0])).title, (await anext(streams[1])).title]
    assert (await run_sync(backend, alias))[1] == 2
    for _ in range(3):
        seen += [(await anext(each)).title for each in streams]
        assert await acount(None, alias) == ROWS

    await streams[first_to_end].aclose()
    rest = [article.title async for article in streams[1 - first_to_end]]

    assert seen == ["0", "0", "1", "1", "2", "2", "3", "3"]
    assert rest == ["4", "5"]
    assert (await run_sync(backend, alias))[1] == 0


@pytest.mark.parametrize("first_to_end", [0, 1])
async def test_a_block_outlives_streams_of_one_connection_that_end_in_it(alias, first_to_end):
    streams = [stream(alias), stream(alias)]
    for each in streams:
        await anext(each)
    async with atomic(using=alias):
        await Author.objects.using(alias).acreate(name="first")
        await streams[first_to_end].aclose()
        await Author.objects.using(alias).acreate(name="second")
        rest = [article.title async for article in streams[1 - first_to_end]]
        await Author.objects.using(alias).acreate(name="third")

    assert rest == ["1", "2", "3", "4", "5"]
    assert await Author.objects.using(alias).acount() == 4
    assert (await run_sync(backend, alias))[1] == 0


async def test_a_stream_that_another_task_closes_leaves_no_statement_shielded(alias):
    def connection():
        connections[alias].ensure_connection()
        return connections[alias].connection

    async def close():
        while not facade.lock.shielding:
            await asyncio.sleep(0)
        await rows.aclose()

    rows = stream(alias)
    await anext(rows)
    facade = await run_sync(connection)
    async with atomic(using=alias):
        await Author.objects.using(alias).acreate(name="new")
        # Begun while the commit is under way, ended after it.
        closing = asyncio.create_task(close())
    await closing

    assert facade.lock.shielding == set()


async def test_a_read_that_is_interrupted_in_a_block_keeps_it_from_ending_without_error(alias):
    def be_interrupted(**kwargs):
        asyncio.get_running_loop().call_soon(reading.cancel)
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")

    rows = Article.objects.using(alias).order_by("pk").aiterator(chunk_size=1)
    await anext(rows)
    with pytest.raises(TransactionManagementError, match="was interrupted"):
        async with atomic(using=alias):
            await Author.objects.using(alias).acreate(name="lost")
            reading = asyncio.ensure_future(anext(rows))
            post_init.connect(be_interrupted, sender=Article)
            try:
                with pytest.raises(asyncio.CancelledError):
                    await reading
            finally:
                post_init.disconnect(be_interrupted, sender=Article)

    assert not await Author.objects.filter(name="lost").aexists()


async def test_a_stream_takes_its_turn_in_a_block_of_its_body(alias):
    def fail():
        with transaction.atomic(using=alias):
            Author.objects.using(alias).create(pk=first.author_id)

    async def fail_again_and_again():
        for _ in range(5):
            with pytest.raises(IntegrityError):
                await run_sync(fail)

    rows = Article.objects.using(alias).order_by("pk").aiterator(chunk_size=1)
    first = await anext(rows)
    async with atomic(using=alias):
        failing = asyncio.create_task(fail_again_and_again())
        seen = [article.title async for article in rows]
        await failing

    assert seen == ["1", "2", "3", "4", "5"]


async def test_a_stream_that_is_closed_in_a_block_of_its_body_leaves_the_block_alone(alias):
    rows = stream(alias)
    article = await anext(rows)
    async with atomic(using=alias):
        await Article.objects.using(alias).filter(pk=article.pk).aupdate(title="kept")
        await rows.aclose()
        await Author.objects.using(alias).acreate(name="later")

    assert (await run_sync(titles))[0] == "kept"
    assert await Author.objects.filter(name="later").aexists()
    assert (await run_sync(backend, alias))[1] == 0


async def test_a_stream_that_is_read_in_a_block_of_its_body_goes_on(alias):
    rows = stream(alias)
    seen = [await anext(rows)]
    async with atomic(using=alias):
        await Article.objects.using(alias).aupdate(title="changed")
        seen += [article async for article in rows]

    # As in Django: what a cursor gives was decided when it was opened.
    assert [article.title for article in seen] == [f"{n}" for n in range(ROWS)]
    assert await run_sync(titles) == ["changed"] * ROWS


async def test_a_stream_that_is_closed_in_a_failed_block_leaves_no_cursor_behind(alias):
    rows = stream(alias)
    article = await anext(rows)
    before, _ = await run_sync(backend, alias)
    with pytest.raises(IntegrityError):
        async with atomic(using=alias):
            try:
                await Author.objects.using(alias).acreate(pk=article.author_id)
            finally:
                await rows.aclose()

    # Nothing could close it there, so the connection was closed.
    after, cursors = await run_sync(backend, alias)
    assert (after != before, cursors) == (True, 0)


async def test_a_block_after_a_loop_that_was_left_keeps_its_rows(alias):
    async for _ in stream(alias):
        break
    # The event loop closes the stream while the block is open.
    async with atomic(using=alias):
        await Author.objects.using(alias).acreate(name="first")
        await asyncio.sleep(0)
        await Author.objects.using(alias).acreate(name="second")

    assert await Author.objects.filter(name__in=["first", "second"]).acount() == 2
    assert (await run_sync(backend, alias))[1] == 0


async def test_a_statement_of_the_body_that_times_out_leaves_the_loop_alone(alias):
    def sleep():
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")

    seen = []
    async for article in stream(alias):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run_sync(sleep), 0.01)
        seen.append(article.title)

    assert seen == [f"{n}" for n in range(ROWS)]


async def test_a_connection_that_the_body_loses_is_an_error_of_the_loop(alias):
    pid = None
    with pytest.raises(OperationalError):
        async for _ in stream(alias):
            pid = pid or (await run_sync(backend, alias))[0]
            await run_sync(terminate, pid)

    assert (await run_sync(backend, alias))[0] != pid


async def test_a_connection_that_the_body_finds_lost_is_to_the_loop_what_it_is_in_django(alias):
    def read_on():
        rows = Article.objects.using(alias).order_by("pk").iterator(chunk_size=1)
        next(rows)
        terminate(backend(alias)[0])
        with pytest.raises(OperationalError):
            count(None, alias)
        with pytest.raises(OperationalError) as raised:
            next(rows)
        return str(raised.value)

    judged = await run_sync(read_on)
    rows = Article.objects.using(alias).order_by("pk").aiterator(chunk_size=1)
    await anext(rows)
    await run_sync(terminate, (await run_sync(backend, alias))[0])
    with pytest.raises(OperationalError):
        await acount(None, alias)
    with pytest.raises(OperationalError) as raised:
        await anext(rows)

    assert str(raised.value) == judged


def terminate(pid):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


async def test_what_the_body_sets_in_its_session_ends_with_the_loop(alias):
    def show(name="turbo.test"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_setting(%s, true)", [name])
            return cursor.fetchone()[0]

    def change():
        with connections[alias].cursor() as cursor:
            cursor.execute("SET turbo.test = 'changed'")

    async for _ in stream(alias):
        await run_sync(change)

    assert await run_sync(show) in (None, "")


async def test_a_stream_that_another_task_reads_on_is_no_longer_the_first_ones(make_alias):
    alias = make_alias(pool={"min_size": 1, "max_size": 1, "timeout": 0.2})
    rows = stream(alias)
    await anext(rows)
    own, _ = await run_sync(backend, alias)

    async def read_on():
        found = [(await anext(rows)).title for _ in range(3)]
        return found, await run_sync(backend, alias)

    found = await asyncio.create_task(read_on())

    assert found == (["1", "2", "3"], (own, 1))
    with pytest.raises(OperationalError, match="No connection came"):
        await run_sync(backend, alias)
    await rows.aclose()


async def test_a_portal_that_reads_a_synchronous_iterator_awaits_its_body_there(alias):
    async def view():
        return [(found.title, await acount(found, alias)) for found in loop(alias)]

    assert await portal(view()) == [(f"{n}", ROWS) for n in range(ROWS)]
