"""Django's close_old_connections under an open cursor does what it does in plain Django."""

import contextvars
import threading

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, close_old_connections, connection, connections

from tests.testapp.models import Author
from tests.waiting import PATIENCE
from turbo_orm import await_, portal

pytestmark = pytest.mark.needs_thread("a thread that waits for a coroutine is what is tested")


def close_in_thread_of_caller():
    await_(sync_to_async(close_old_connections)())


def cursor_steps(named, close):
    """Use a cursor before and after old connections are closed; return what each step gives."""
    cursor = connection.chunked_cursor() if named else connection.cursor()
    steps = (
        lambda: cursor.execute("SELECT generate_series(1, 5)") and None,
        *(cursor.fetchone, close, cursor.fetchone),
        lambda: cursor.execute("SELECT 7") and None,
        *(cursor.fetchone, cursor.close, Author.objects.count),
    )
    return [outcome(step) for step in steps]


def outcome(step):
    try:
        return step()
    except DatabaseError as error:
        return type(error), str(error)


def in_caller(function):
    """Return what a function gives in a thread of its own."""
    found = []

    def run():
        try:
            found.append(function())
        finally:
            connections.close_all()

    thread = threading.Thread(target=contextvars.Context().run, args=[run])
    thread.start()
    thread.join(PATIENCE)
    return found[0]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("close", [close_old_connections, close_in_thread_of_caller])
def test_under_the_open_cursor_of_a_portal_it_closes_as_under_one_of_the_thread(named, close):
    async def steps():
        return cursor_steps(named, close)

    async def coroutine():
        return await portal(steps())

    plain = in_caller(lambda: cursor_steps(named, close_old_connections))

    assert in_caller(async_to_sync(coroutine)) == plain


def test_under_an_open_stream_it_closes_as_in_plain_django():
    Author.objects.bulk_create(Author(name=f"{number}") for number in range(5))
    rows = Author.objects.order_by("name")

    def plain():
        for author in rows.iterator(chunk_size=1):
            names.append(author.name)
            close_old_connections()

    async def coroutine():
        async for author in rows.aiterator(chunk_size=1):
            names.append(author.name)
            await sync_to_async(close_old_connections)()

    names = []
    expected = in_caller(lambda: outcome(plain)), names
    names = []
    assert (in_caller(lambda: outcome(async_to_sync(coroutine))), names) == expected
    assert names == ["0"]
