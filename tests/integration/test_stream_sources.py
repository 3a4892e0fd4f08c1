"""What a response is streamed from, and how that ends; a page that is counted meanwhile."""

import asyncio
import threading
from contextlib import aclosing

import pytest

from tests.testapp.models import Author
from turbo_orm import atomic, portal, run_sync
from turbo_orm.query import fetch_beside, is_free
from turbo_orm.streams import CHUNK, chunks_of, closing, end_stream, source_of

NAMES = ["a", "b", "c"]


@pytest.fixture
async def authors():
    await Author.objects.abulk_create(Author(name=name, age=1) for name in NAMES)


class Events:
    """An asynchronous iterator of a project's own, without `aclose`."""

    def __init__(self):
        self.left = [*NAMES]

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


async def generated():
    for name in NAMES:
        yield name


async def awaited():
    return NAMES


def names_of(rows):
    return [getattr(row, "name", row) for row in rows]


@pytest.mark.parametrize(
    ("given", "live"),
    [
        (lambda: Author.objects, False),
        (lambda: Author.objects.order_by("pk"), False),
        (lambda: Author.objects.order_by("pk").aiterator(), True),
        (lambda: NAMES, False),
        (lambda: iter(NAMES), False),
        (awaited, False),
        (generated, True),
        (Events, True),
    ],
)
async def test_items_of_any_source_come_one_after_another(authors, given, live):
    source = await source_of(given())

    async with closing(source.items) as items:
        assert names_of([item async for item in items]) == NAMES
    assert source.live == live


async def test_a_queryset_is_optimized_and_nothing_else(authors):
    source = await source_of(Author.objects.order_by("pk"), lambda rows: rows.filter(name="b"))
    assert [author.name async for author in source.items] == ["b"]
    source = await source_of(NAMES, lambda rows: 1 / 0)
    assert [name async for name in source.items] == NAMES


async def test_what_cannot_be_iterated_over_is_refused():
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        await source_of(7)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, [["a"], ["b"], ["c"]]), (2, [["a", "b"], ["c"]]), (3, [NAMES]), (CHUNK, [NAMES])],
)
async def test_chunks_have_as_many_items_as_are_wanted(size, expected):
    assert [chunk async for chunk in chunks_of(generated(), size)] == expected


async def test_chunks_that_are_left_give_the_connection_of_their_source_back(authors):
    source = await source_of(Author.objects.all(), chunk_size=1)
    async with aclosing(chunks_of(source.items, 1)) as chunks:
        assert names_of(await anext(chunks)) == ["a"]


async def ended_by(close):
    """Open a stream in a generator, let it be ended, and return what it did meanwhile."""
    told = []

    async def stream():
        try:
            async for author in Author.objects.aiterator(chunk_size=1):
                yield author.name
        finally:
            told.append(await Author.objects.acount())

    opened = stream()
    await anext(opened)
    await close(opened.aclose)
    return told


async def in_the_bridge(aclose):
    await run_sync(end_stream, aclose, None)


async def in_a_portal(aclose):
    async def work():
        end_stream(aclose, None)

    await portal(work())


async def in_another_thread(aclose):
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def close():
        await aclose()
        ended.set()

    thread = threading.Thread(target=end_stream, args=[close, loop])
    thread.start()
    await asyncio.wait_for(ended.wait(), 30)
    thread.join()


async def on_the_loop(aclose):
    ended = asyncio.Event()

    async def close():
        await aclose()
        ended.set()

    end_stream(close, asyncio.get_running_loop())
    await asyncio.wait_for(ended.wait(), 30)


@pytest.mark.needs_thread("a response may be closed in a thread")
@pytest.mark.parametrize("close", [in_the_bridge, in_a_portal, in_another_thread, on_the_loop])
async def test_a_stream_ends_wherever_its_response_is_closed(authors, close):
    assert await ended_by(close) == [3]


async def test_a_stream_that_nobody_began_to_read_outside_of_a_loop_is_left_to_itself():
    end_stream(lambda: 1 / 0, None)


async def test_a_page_is_fetched_while_another_task_counts(authors):
    tasks = set()

    async def count():
        tasks.add(asyncio.current_task())
        return await Author.objects.acount()

    rows = Author.objects.order_by("pk")[:2]
    assert is_free(rows)
    assert await fetch_beside(rows, count) == 3
    assert names_of(rows._result_cache) == ["a", "b"]
    assert asyncio.current_task() not in tasks


async def test_neither_is_left_running_where_the_other_fails(authors):
    begun = asyncio.Event()
    cancelled = []

    async def count():
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fetch_beside(Author.objects.all(), fail)
    failing = Author.objects.extra(where=["1 / 0 = 1"])
    with pytest.raises(Exception, match="division by zero"):
        await fetch_beside(failing, count)
    assert (begun.is_set(), cancelled) == (True, [True])


async def test_nothing_is_free_within_a_block_nor_what_is_no_queryset():
    assert not is_free(NAMES)
    async with atomic():
        assert not is_free(Author.objects.all())
    assert is_free(Author.objects.all())
