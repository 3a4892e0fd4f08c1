"""Clients that go away: nothing is left behind in the server, its pool and its database."""

import asyncio
import random
from collections import Counter

import pytest
from django.db import connection
from django.db.models import Count

from tests.served.client import Connection
from tests.served.process import Served
from tests.served.session import log_in, make_user
from tests.testapp.models import Author
from tests.thorough import THOROUGH, cases
from tests.waiting import until, until_asleep
from turbo_orm import run_sync

ROWS = 5_000
REQUESTS = cases(2_000, 10_000)
LEAVERS = cases(24, 1_000)
CLIENTS = 100
LEAVING = 0.05


@pytest.fixture(scope="module")
def served(databases):
    with Served.shared() as server:
        yield server


def running(server):
    """Return the statements that run for a server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE application_name = %s AND state <> 'idle'",
            [server.application_name],
        )
        return [row[0] for row in cursor.fetchall()]


async def at_rest(server):
    return not await run_sync(running, server)


async def all_answered(server):
    """Return the state of a server once each request that began has ended."""

    async def ended():
        state = await server.state()
        # A stream that a client left is collected at some time, and the event loop then closes it.
        closing = any("async_generator_athrow" in task for task in state["tasks"])
        return state if state["started"] == state["finished"] and not closing else None

    return await until(ended)


async def test_a_client_that_leaves_ends_its_query_on_the_server(served):
    async with Connection(served.port) as client:
        client.send("GET", "/asleep/?seconds=600")
        await until_asleep()

    await until(lambda: at_rest(served))
    state = await all_answered(served)
    assert state["pool"]["in_use"] == state["pool"]["waiting"] == 0
    assert (await served.get("/at-rest/")).text == "at rest"


async def test_a_client_that_leaves_has_its_transaction_rolled_back(served):
    async with Connection(served.port) as client:
        client.send("GET", "/pair/1/?seconds=600")
        await until_asleep()

    await until(lambda: at_rest(served))
    await all_answered(served)
    assert await Author.objects.acount() == 0
    assert (await served.get("/at-rest/")).text == "at rest"


async def test_a_client_that_leaves_before_its_body_is_complete_starts_no_request(served):
    before = (await all_answered(served))["paths"].get("/upload/", 0)
    async with Connection(served.port) as client:
        # The server answers the first: it has read what came with it.
        client.send("GET", "/port/")
        client.send("POST", "/upload/", b"half", Content_Length="8")
        await client.answer()

    assert (await served.ask("POST", "/upload/", b"whole")).text.startswith("5 ")
    state = await all_answered(served)
    assert state["paths"]["/upload/"] == before + 1


async def test_a_client_that_leaves_a_stream_gives_its_connection_back(served):
    await make_rows()
    async with Connection(served.port) as client:
        client.send("GET", "/stream/?seconds=1")
        await client.reader.readuntil(b"row:99 ")

        async def one_is_lent():
            state = await served.state()
            assert state["started"] - state["finished"] == 1
            return state["pool"]["in_use"] == 1

        await until(one_is_lent)

    await all_answered(served)
    await until(lambda: at_rest(served))
    assert (await served.get("/at-rest/")).text == "at rest"


STREAMS = (
    "/stream/",
    "/stream/?seconds=0.002",
    "/stream-in-block/",
    "/iterated/",
    "/iterated-in-thread/",
    "/large-file/",
)
# Bytes of each; the client's buffers hold less.
LENGTH = ROWS * 250


async def leave_streams(server, count):
    """Begin to read so many streamed pages, ten at a time, and leave each somewhere."""
    chance = random.Random(7)
    numbers = iter(range(count))

    async def client():
        for number in numbers:
            async with Connection(server.port) as connection:
                connection.send("GET", STREAMS[number % len(STREAMS)])
                await connection.reader.readexactly(chance.randrange(1, LENGTH // 4))
                if chance.random() < 0.5:
                    connection.writer.close()

    await asyncio.gather(*(client() for _ in range(10)))


def complaints(lines):
    """Return what a server wrote that is neither a request nor about the client's own socket."""
    return [line for line in lines if "HTTP/1.1" not in line and "transport error" not in line]


async def no_line_in_the_log(server):
    await make_rows()
    await all_answered(server)
    before = len(server.said())
    await leave_streams(server, LEAVERS)
    await all_answered(server)
    assert (await server.get("/at-rest/")).text == "at rest"
    assert complaints(server.said()[before:].splitlines()) == []


@pytest.mark.timeout(600 if THOROUGH else 60)
async def test_clients_that_leave_streamed_pages_leave_no_line_in_the_log(served):
    await no_line_in_the_log(served)


if THOROUGH:

    @pytest.mark.timeout(600)
    async def test_clients_that_leave_streamed_pages_leave_no_line_in_the_log_of_granian():
        async with Served("granian") as server:
            await no_line_in_the_log(server)


async def make_rows():
    """Make what a stream consists of."""
    await Author.objects.abulk_create(Author(name="row", age=number) for number in range(ROWS))


class Crowd:
    """Clients that make requests of all kinds; some leave before they are answered."""

    def __init__(self, server, cookie, author):
        self.server, self.cookie, self.author = server, cookie, author
        self.chance = random.Random(5)
        self.left = Counter()
        self.answered = Counter()
        self.kept_pairs, self.tried_pairs = set(), set()

    async def make_requests(self, count):
        numbers = iter(range(count))
        await asyncio.gather(*(self.client(numbers) for _ in range(CLIENTS)))

    async def client(self, numbers):
        """Make requests over one connection until it is time to leave; then come back."""
        while (number := next(numbers, None)) is not None:
            async with Connection(self.server.port) as connection:
                while number is not None:
                    if self.chance.random() < LEAVING:
                        await self.ask_and_leave(connection)
                        break
                    await self.ask_and_wait(connection)
                    number = next(numbers, None)

    async def ask_and_wait(self, connection):
        kinds = {self.empty: 45, self.get: 30, self.pair: 15, self.account: 9, self.stream: 1}
        (kind,) = self.chance.choices(list(kinds), list(kinds.values()))
        await kind(connection)
        self.answered[kind.__name__] += 1

    async def empty(self, connection):
        assert (await connection.ask("GET", "/empty/")).text == "empty"

    async def get(self, connection):
        assert (await connection.ask("GET", f"/author/{self.author.pk}/")).text == "wanted"

    async def account(self, connection):
        answer = await connection.ask("GET", "/account/", Cookie=self.cookie)
        assert answer.text == "reader True"

    async def pair(self, connection):
        number = self.new_pair()
        answer = await connection.ask("GET", f"/pair/{number}/?seconds=0.002")
        assert answer.text == "both"
        self.kept_pairs.add(number)

    async def stream(self, connection):
        body = (await connection.ask("GET", "/stream/")).text
        assert body.count("row:") == ROWS

    def new_pair(self):
        self.tried_pairs.add(number := len(self.tried_pairs) + 1)
        return number

    async def ask_and_leave(self, connection):
        kinds = [self.half_a_body, self.in_a_query, self.in_a_transaction, self.in_a_stream]
        kind = self.chance.choice(kinds)
        await kind(connection)
        self.left[kind.__name__] += 1
        # By a reset, or politely.
        if self.chance.random() < 0.5:
            connection.leave()
        else:
            connection.writer.close()

    async def half_a_body(self, connection):
        body = b"x" * self.chance.randrange(1, 20_000)
        connection.send("POST", "/upload/", body, Content_Length="20000")
        await asyncio.sleep(self.chance.random() * 0.02)

    async def in_a_query(self, connection):
        connection.send("GET", "/asleep/?seconds=600")
        await asyncio.sleep(self.chance.random() * 0.1)

    async def in_a_transaction(self, connection):
        connection.send("GET", f"/pair/{self.new_pair()}/?seconds=0.05")
        await asyncio.sleep(self.chance.random() * 0.15)

    async def in_a_stream(self, connection):
        connection.send("GET", "/stream/")
        await connection.reader.readexactly(self.chance.randrange(1, ROWS * 100))


@pytest.fixture
def cookie():
    """Make a user and a session; outside of the bridge, where hashing needs no thread."""
    return log_in(make_user("reader", "secret"))


def pairs_kept():
    """Return how many rows there are of each pair."""
    found = Author.objects.filter(name="pair").values_list("age").annotate(rows=Count("pk"))
    return dict(found.order_by())


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_thousands_of_requests_and_one_client_in_twenty_leaves(served, cookie):
    # Another test may have had pages from synchronous views: the threads of those are kept.
    first = await all_answered(served)
    await make_rows()
    author = await Author.objects.acreate(name="wanted")
    crowd = Crowd(served, cookie, author)
    await crowd.make_requests(REQUESTS // 20)
    before = await all_answered(served)

    await crowd.make_requests(REQUESTS * 9 // 20)
    half = await all_answered(served)
    await crowd.make_requests(REQUESTS // 2)
    after = await all_answered(served)

    assert crowd.answered.total() + crowd.left.total() == REQUESTS
    assert all(count > REQUESTS / 500 for count in (crowd.answered + crowd.left).values())
    assert (await served.get("/at-rest/")).text == "at rest"
    assert await at_rest(served)
    kept = await run_sync(pairs_kept)
    assert set(kept.values()) == {2}
    assert crowd.kept_pairs <= set(kept) <= crowd.tried_pairs
    assert set(kept) != crowd.tried_pairs
    assert after["tasks"] == before["tasks"]
    assert after["threads"] == first["threads"]
    assert after["hops"] == first["hops"]
    assert after["rss"] < half["rss"] * 1.1
