"""Many requests at once, and requests that are cancelled wherever they are."""

import asyncio

import pytest
from django.db import connection
from ninja.testing import TestAsyncClient

from ninja import Schema
from tests.ninja import schemas
from tests.ninja.helpers import fill
from tests.testapp.models import Article, Tag
from tests.waiting import FOREVER, until_asleep
from turbo_orm import in_bridge, pool_stats, run_sync
from turbo_orm_ninja import TurboNinjaAPI, atomic_operation, optimize
from turbo_orm_ninja.pagination import paginate


class Sleeping(Schema):
    title: str
    slept: str

    @staticmethod
    def resolve_slept(obj):
        sleep()
        return "long"


class AwaitingSleep(Sleeping):
    @staticmethod
    async def resolve_slept(obj):
        await run_sync(Sleeping.resolve_slept, obj)


def sleep():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [FOREVER])


@pytest.fixture
def client():
    api = TurboNinjaAPI()
    add_fast(api)
    add_slow(api)
    return TestAsyncClient(api)


def add_fast(api):

    @api.get("/optimised", response=list[schemas.ArticleDeep])
    async def optimised(request):
        return Article.objects.all()

    @api.get("/lazy", response=list[schemas.ArticleDeep])
    @optimize(False)
    async def lazy(request):
        return Article.objects.all()

    @api.get("/paged", response=list[schemas.ArticleOut])
    @paginate
    async def paged(request):
        return Article.objects.all()

    @api.post("/atomic", response=schemas.TagOut)
    @atomic_operation()
    async def atomic(request, name: str):
        return await Tag.objects.acreate(name=name)


def add_slow(api):
    @api.get("/slow/resolver", response=list[Sleeping])
    async def slow_resolver(request):
        return Article.objects.all()

    @api.get("/slow/coroutine", response=list[AwaitingSleep])
    async def slow_coroutine(request):
        return Article.objects.all()

    @api.post("/slow/view")
    @atomic_operation()
    async def slow_view(request):
        await Tag.objects.acreate(name="gone")
        sleep()

    def slow_auth(request):
        sleep()

    @api.get("/slow/auth", auth=slow_auth)
    async def authenticated(request):
        return None

    @api.get("/slow/handler")
    async def handled(request):
        raise LookupError

    @api.exception_handler(LookupError)
    async def handler(request, error):
        sleep()


@pytest.mark.parametrize("path", ["/optimised", "/lazy", "/paged?limit=3"])
async def test_fifty_requests_at_once_share_a_pool_of_four(client, path):
    await fill(0, 5)
    expected = (await client.get(path)).json()

    responses = await asyncio.gather(*(client.get(path) for _ in range(50)))

    assert {response.status_code for response in responses} == {200}
    assert all(response.json() == expected for response in responses)
    assert pool_stats().size <= 4


async def test_requests_that_wait_in_the_middle_of_validation_do_not_mix(client):
    await fill(0, 5)
    paths = ["/optimised", "/lazy", "/paged?limit=2"] * 10
    expected = {path: (await client.get(path)).json() for path in set(paths)}

    responses = await asyncio.gather(*(client.get(path) for path in paths))

    assert [response.json() for response in responses] == [expected[path] for path in paths]


async def test_transactions_of_requests_at_once_are_their_own(client):
    names = [f"n{number % 40}" for number in range(50)]

    responses = await asyncio.gather(
        *(client.post(f"/atomic?name={name}") for name in names), return_exceptions=True
    )

    made = sum(not isinstance(response, Exception) for response in responses)
    assert (made, await Tag.objects.acount()) == (40, 40)


SLOW = ["get /slow/resolver", "get /slow/coroutine", "post /slow/view", "get /slow/auth"]
SLOW += ["get /slow/handler"]


@pytest.mark.parametrize("request_line", SLOW)
async def test_a_cancelled_request_ends_as_one(client, request_line, at_rest):
    method, path = request_line.split()
    await fill(0, 2)
    task = asyncio.ensure_future(getattr(client, method)(path))
    await until_asleep()

    task.cancel()
    [outcome] = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError)
    assert not await Tag.objects.filter(name="gone").aexists()
    assert not in_bridge()


@pytest.mark.parametrize("request_line", SLOW)
async def test_a_request_that_takes_too_long_times_out(client, request_line, at_rest):
    method, path = request_line.split()
    await fill(0, 2)

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(getattr(client, method)(path), 0.3)


async def test_an_operation_may_have_timeouts_of_its_own(client, at_rest):
    api = TurboNinjaAPI()

    @api.get("/it", response=str)
    async def it(request):
        try:
            await asyncio.wait_for(run_sync(sleep), 0.1)
        except asyncio.TimeoutError:
            return f"gave up, {await Tag.objects.acount()} tags"

    response = await TestAsyncClient(api).get("/it")

    assert (response.status_code, response.json()) == (200, "gave up, 0 tags")
