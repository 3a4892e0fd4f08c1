"""A served project needs no thread, whatever kind of request it answers; hashing has its own."""

import asyncio
import json
import random
import time
from urllib.parse import urlencode

import pytest

from tests.served.client import Connection
from tests.served.process import Served
from tests.served.session import log_in, make_user
from tests.testapp.models import Author
from tests.waiting import PATIENCE, until

REQUESTS = 500
CLIENTS = 20
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def cookie():
    """Make a user and a session; outside of the bridge, where hashing needs no thread."""
    return log_in(make_user("reader", "secret"))


@pytest.fixture(scope="module")
def served(databases):
    with Served.shared(settings={"TURBO_ORM": {"SYNC_VIEWS": "loop"}}) as server:
        yield server


class Kinds:
    """One request of each kind, and what its answer must be."""

    def __init__(self, served, author, cookie):
        self.served, self.author, self.cookie = served, author, cookie
        # One password at a time: each is hashed in a thread.
        self.hashing = asyncio.Lock()

    async def empty(self, ask):
        assert await text(ask("GET", "/empty/")) == (200, "empty")

    async def get(self, ask):
        assert await text(ask("GET", f"/author/{self.author.pk}/")) == (200, "wanted")

    async def missing_page(self, ask):
        assert (await ask("GET", "/no/such/page/")).status == 404

    async def error(self, ask):
        assert (await ask("GET", "/broken/")).status == 500

    async def transaction(self, ask):
        assert await text(ask("GET", "/pair/1/?seconds=0.001")) == (200, "both")

    async def stream(self, ask):
        status, body = await text(ask("GET", "/stream/"))
        assert (status, body.count("wanted:")) == (200, 1)

    async def account(self, ask):
        answer = ask("GET", "/account/", Cookie=self.cookie)
        assert await text(answer) == (200, "reader True")

    async def anonymous(self, ask):
        assert (await ask("GET", "/account/")).status == 403

    async def login(self, ask):
        answer = await self.log_in(ask, "secret")
        assert (answer.status, answer.text) == (200, "reader")
        again = ask("GET", "/account/", Cookie=f"sessionid={answer.cookies['sessionid']}")
        assert await text(again) == (200, "reader True")

    async def wrong_password(self, ask):
        assert (await self.log_in(ask, "guess")).status == 403

    async def log_in(self, ask, password):
        async with self.hashing:
            answer = await ask("POST", "/login/", credentials(password), **FORM)
            await threads_have_ended(self.served)
            return answer

    async def synchronous(self, ask):
        answer = ask("GET", "/synchronous/", Cookie=self.cookie)
        assert (await text(answer))[1].endswith(",reader\n")

    async def rendered(self, ask):
        answer = ask("GET", "/rendered/", Cookie=self.cookie)
        assert (await text(answer))[1].endswith(",reader\n")

    async def form(self, ask):
        body = urlencode({"name": "posted", "age": "7"}).encode()
        assert await text(ask("POST", "/form/", body, **FORM)) == (200, "posted")

    async def wrong_form(self, ask):
        answer = await ask("POST", "/form/", b"name=&age=old", **FORM)
        assert (answer.status, sorted(json.loads(answer.text))) == (400, ["age", "name"])

    async def upload(self, ask):
        assert (await text(ask("POST", "/upload/", b"x" * 100_000)))[1].startswith("100000 ")

    async def file(self, ask):
        assert await text(ask("GET", "/file/")) == (200, "file")

    async def head(self, ask):
        assert (await ask("HEAD", "/empty/")).status == 200


def credentials(password):
    """Return the body of a login form."""
    return urlencode({"username": "reader", "password": password}).encode()


async def threads_have_ended(served):
    """Wait until only the main thread runs; one that has done its work needs a moment to end."""
    deadline = time.monotonic() + PATIENCE
    while (threads := (await served.state())["threads"]) != ["MainThread"]:
        assert time.monotonic() < deadline, f"these do not end: {threads}"


async def text(answer):
    """Return status and text of an answer."""
    found = await answer
    return found.status, found.text


KINDS = [name for name in vars(Kinds) if not name.startswith("_") and name != "log_in"]


async def test_five_hundred_requests_of_all_kinds_leave_one_thread(served, cookie):
    kinds = Kinds(served, await Author.objects.acreate(name="wanted"), cookie)
    methods = [getattr(kinds, name) for name in KINDS]
    chosen = iter(random.Random(5).choices(methods, k=REQUESTS))

    async def client():
        async with Connection(served.port) as connection:
            for kind in chosen:
                await kind(connection.ask)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))

    await threads_have_ended(served)
    state = await served.state()
    assert state["hops"] == {}
    assert state["most_threads"] == 2
    assert state["started"] == state["finished"]


@pytest.fixture
def slow_password():
    """Make a user whose password takes hundreds of milliseconds, as in production."""
    make_user("reader", "secret", iterations=1_000_000)


async def test_requests_are_answered_while_a_password_hashes(served, slow_password):
    async with Connection(served.port) as first, Connection(served.port) as second:
        login = asyncio.create_task(first.ask("POST", "/login/", credentials("secret"), **FORM))
        answered = 0
        while not login.done():
            assert (await second.ask("GET", "/empty/")).text == "empty"
            answered += 1
    assert (await login).text == "reader"
    assert answered > 5


async def test_requests_with_synchronous_views_share_a_thread_unless_told_otherwise(cookie):
    """Shows also that the counter of the other tests counts."""
    async with Served() as served, Connection(served.port) as client:
        for _ in range(20):
            answer = await client.ask("GET", "/synchronous/", Cookie=cookie)
            assert answer.text.endswith("reader\n")

        async def all_ended():
            state = await served.state()
            return state["started"] == state["finished"]

        # A client has its answer before the response is closed in the thread.
        await until(all_ended)
        state = await served.state()
    assert state["hops"] == {"synchronous": 20, "HttpResponseBase.close": 20}
    threads = [name.rpartition("-")[0] for name in state["threads"] if name != "MainThread"]
    assert set(threads) == {"turbo_orm-view"}
    assert len(threads) < 20
