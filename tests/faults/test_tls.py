"""What a server sends encrypted is read, also where libpq holds it and the socket has no more.

A TLS record is decrypted whole. What does not fit into libpq's buffer waits in OpenSSL's, and the
event loop, which watches the socket, does not know of it: libpq must read it all before it says
that it needs more.
"""

import asyncio
import random

import pytest
from django.db import connections

from tests.faults.tls import HOST, make_certificate, serving
from tests.testapp.models import Author
from tests.thorough import cases
from tests.waiting import until, until_asleep, until_nobody_sleeps
from turbo_orm import run_sync
from turbo_orm.pool import get_pool

# What libpq and the loop do with it depends on no version of Django.
pytestmark = pytest.mark.slow

# Bytes in a record: of PostgreSQL's own, and the most that TLS has, as poolers send.
RECORDS = [8192, 16384]
# Bytes of an answer, around the sizes of records and of libpq's buffer.
SIZES = sorted(
    {1, 100_000, 1_000_000}
    | {size + more for size in (8192, 16384, 32768) for more in range(-60, 70, 10)}
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    return folder


@pytest.fixture(scope="module", params=RECORDS, ids=lambda record: f"records of {record}")
def port(request, certificate):
    with serving(certificate, request.param) as port:
        yield port


@pytest.fixture
def encrypted(make_alias, certificate, port):
    """An alias whose connections are encrypted."""
    options = {
        "sslmode": "verify-full",
        "sslrootcert": str(certificate / "certificate.pem"),
        "gssencmode": "disable",
    }
    return make_alias(HOST=HOST, PORT=port, options=options, pool={"max_size": 1, "timeout": 30})


@pytest.fixture
async def lent(encrypted):
    """A connection of its pool."""
    connection = await get_pool(encrypted).lend()
    assert connection.pgconn.ssl_in_use
    yield connection
    get_pool(encrypted).take_back(connection)


def letters(alias, size):
    """Return an answer of one value, in a statement of its own."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT repeat('x', %s)", [size])
        return cursor.fetchone()[0]


async def test_answers_of_all_sizes_are_read(encrypted, at_rest):
    for size in SIZES:
        assert await run_sync(letters, encrypted, size) == "x" * size


async def test_answers_of_many_rows_are_read(lent):
    rows = "SELECT n, repeat('x', %s) FROM generate_series(1, 50) AS n"
    for width in (10, 1000, 3001, 8180, 16370):
        cursor = await lent.execute(rows, [width])
        assert await cursor.fetchall() == [(n, "x" * width) for n in range(1, 51)]


async def test_answers_of_random_sizes_are_read(lent):
    rows = "SELECT repeat('x', width) FROM unnest(%s::int[]) AS width"
    for _ in range(cases(40, 2000)):
        widths = [random.randrange(6000) for _ in range(random.randrange(1, 12))]
        cursor = await lent.execute(rows, [widths])
        assert [len(row[0]) for row in await cursor.fetchall()] == widths


@pytest.mark.parametrize("chunk_size", [1, 70, 2000])
async def test_a_stream_is_read(encrypted, at_rest, chunk_size):
    names = [f"{number:0>100}" for number in range(500)]
    await Author.objects.abulk_create([Author(name=name) for name in names])

    authors = Author.objects.using(encrypted).order_by("pk").aiterator(chunk_size=chunk_size)
    assert [author.name async for author in authors] == names


PAYLOADS = [f"{size}" + "x" * size for size in range(100, 7900, 390)]
NOTIFY = "SELECT pg_notify('news', payload) FROM unnest(%s::text[]) AS payload"


async def test_notifications_that_are_waited_for_are_read(lent):
    got = []
    await lent.execute("LISTEN news")
    waiting = asyncio.create_task(listen(lent, len(PAYLOADS), got))
    await until(lambda: lent.waiting_statement)
    await run_sync(notify)
    await waiting

    assert got == PAYLOADS
    await lent.execute("UNLISTEN news")


async def listen(connection, count, got):
    async for notification in connection.notifies(stop_after=count):
        got.append(notification.payload)


def notify():
    """Send them all at once, from another session."""
    with connections["default"].cursor() as cursor:
        cursor.execute(NOTIFY, [PAYLOADS])


async def test_notifications_that_come_with_an_answer_are_read(lent):
    got = []
    lent.facade.add_notify_handler(lambda notification: got.append(notification.payload))
    await lent.execute("LISTEN news")
    await lent.execute(NOTIFY, [PAYLOADS])
    await lent.execute("UNLISTEN news")

    assert got == PAYLOADS


async def test_a_cancelled_statement_ends_on_the_server(encrypted, at_rest):
    slow = asyncio.create_task(run_sync(sleep, encrypted))
    await until_asleep()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow

    await until_nobody_sleeps()
    assert await run_sync(letters, encrypted, 20_000) == "x" * 20_000


def sleep(alias):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
