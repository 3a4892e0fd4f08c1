"""ATOMIC_REQUESTS, and what a view holds of the pool while it waits."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.http import HttpResponse

from tests.asgi_client import PATIENCE
from tests.testapp.models import Author
from tests.waiting import until
from turbo_orm import atomic, on_commit, pool_stats
from turbo_orm.asgi import on_loop


@pytest.fixture
def atomic_requests(monkeypatch):
    """Return a function that sets ATOMIC_REQUESTS for aliases."""

    def choose(*aliases):
        for alias in aliases:
            monkeypatch.setitem(connections.settings[alias], "ATOMIC_REQUESTS", True)

    return choose


async def names(alias="default"):
    return [author.name async for author in Author.objects.using(alias).order_by("name")]


def in_block(alias):
    return connections[alias].in_atomic_block


async def create_in_both(request):
    """Create an author in each database, and fail if the query says so."""
    for alias in ("default", "other"):
        await Author.objects.using(alias).acreate(name=f"{alias} {in_block(alias)}")
    if "fail" in request.GET:
        raise LookupError("as asked")
    return HttpResponse()


@pytest.mark.parametrize("aliases", [(), ("default",), ("other",), ("default", "other")])
async def test_an_async_view_is_in_a_transaction_on_each_alias_that_asks(
    serve, atomic_requests, aliases
):
    atomic_requests(*aliases)
    assert (await serve({"": create_in_both}).get("/")).status == 200
    for alias in ("default", "other"):
        assert await names(alias) == [f"{alias} {alias in aliases}"]


@pytest.mark.parametrize("aliases", [("default",), ("other",), ("default", "other")])
async def test_what_a_failing_async_view_wrote_is_rolled_back_there_alone(
    serve, atomic_requests, aliases
):
    atomic_requests(*aliases)
    assert (await serve({"": create_in_both}).get("/?fail")).status == 500
    for alias in ("default", "other"):
        assert await names(alias) == ([] if alias in aliases else [f"{alias} False"])


async def test_a_cancelled_async_view_is_rolled_back(serve, atomic_requests):
    atomic_requests("default")
    written = asyncio.Event()

    async def view(request):
        await Author.objects.acreate(name="Ada")
        written.set()
        await asyncio.sleep(PATIENCE)

    exchange = serve({"": view}).begin("/")
    await asyncio.wait_for(written.wait(), PATIENCE)
    exchange.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exchange.task
    assert await names() == []


@pytest.mark.parametrize("using", [None, "default", "other"])
async def test_a_view_may_be_excused_from_its_transactions(serve, atomic_requests, using):
    atomic_requests("default", "other")
    view = transaction.non_atomic_requests(using=using)(as_function(create_in_both))
    await serve({"": view}).get("/?fail")
    excused = using or "default"
    for alias in ("default", "other"):
        assert await names(alias) == ([f"{alias} False"] if alias == excused else [])


def as_function(view):
    """Return a copy, since the decorator leaves its mark on the function."""

    async def copied(request):
        return await view(request)

    return copied


async def test_a_sync_view_on_the_loop_is_in_its_transaction(serve, atomic_requests):
    atomic_requests("default")

    @on_loop
    def view(request):
        Author.objects.create(name=str(in_block("default")))
        if "fail" in request.GET:
            raise LookupError("as asked")
        return HttpResponse()

    client = serve({"": view})
    await client.get("/")
    await client.get("/?fail")
    assert await names() == ["True"]


@pytest.mark.needs_thread("a synchronous view gets a thread unless it says otherwise")
async def test_a_sync_view_in_a_thread_is_in_its_transaction_there(serve, atomic_requests):
    atomic_requests("default")

    def view(request):
        Author.objects.create(name=str(in_block("default")))
        if "fail" in request.GET:
            raise LookupError("as asked")
        return HttpResponse()

    client = serve({"": view})
    await client.get("/")
    await client.get("/?fail")
    assert await names() == ["True"]


async def test_a_block_inside_the_view_is_a_savepoint_of_its_transaction(serve, atomic_requests):
    atomic_requests("default")

    async def view(request):
        await Author.objects.acreate(name="before")
        try:
            async with atomic():
                await Author.objects.acreate(name="undone")
                raise LookupError
        except LookupError:
            pass
        with transaction.atomic():
            Author.objects.create(name="kept")
        return HttpResponse()

    await serve({"": view}).get("/")
    assert await names() == ["before", "kept"]


async def test_on_commit_waits_for_the_end_of_the_view(serve, atomic_requests):
    atomic_requests("default")
    told = []

    async def tell():
        told.append(("coroutine", await names()))

    async def view(request):
        async with atomic():
            await Author.objects.acreate(name="Ada")
            transaction.on_commit(lambda: told.append(("function", in_block("default"))))
            await on_commit(tell)
        told.append("view")
        if "fail" in request.GET:
            raise LookupError("as asked")
        return HttpResponse()

    client = serve({"": view})
    await client.get("/?fail")
    await client.get("/")
    assert told == ["view", "view", ("function", False), ("coroutine", ["Ada"])]


async def test_tasks_of_the_view_take_turns_in_its_transaction(serve, full_pool, atomic_requests):
    atomic_requests("default")
    seen = []

    async def add(number):
        await Author.objects.acreate(name=f"{number}")
        seen.append(pool_stats("default").in_use)

    async def view(request):
        await asyncio.gather(*map(add, range(5)))
        if "fail" in request.GET:
            raise LookupError("as asked")
        return HttpResponse()

    client = serve({"": view})
    await client.get("/?fail")
    assert (seen, await names()) == ([1] * 5, [])
    await client.get("/")
    assert await names() == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(("aliases", "held"), [((), 0), (("default",), 1)])
async def test_a_view_that_waits_holds_a_connection_only_for_its_transaction(
    serve, full_pool, atomic_requests, aliases, held
):
    atomic_requests(*aliases)
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def view(request):
        author = Author.objects.create(name="Ada")
        waiting.set()
        await go_on.wait()
        return HttpResponse(Author.objects.get(pk=author.pk).name)

    exchange = serve({"": view}).begin("/")
    await asyncio.wait_for(waiting.wait(), PATIENCE)
    in_use = pool_stats("default").in_use
    go_on.set()
    assert (in_use, (await exchange.response()).text) == (held, "Ada")


async def test_more_views_can_wait_than_the_pool_has_connections(serve):
    waiting, go_on = [], asyncio.Event()

    async def view(request):
        Author.objects.create(name="Ada")
        waiting.append(request)
        await go_on.wait()
        return HttpResponse(str(Author.objects.count()))

    client = serve({"": view})
    exchanges = [client.begin("/") for _ in range(12)]
    await until(lambda: len(waiting) == len(exchanges))
    go_on.set()
    assert {(await exchange.response()).text for exchange in exchanges} == {"12"}


@pytest.mark.needs_thread("that is where the block is")
@pytest.mark.parametrize("used", ["", "planned", "in the bridge"])
async def test_a_block_that_two_calls_of_a_thread_enter_and_leave_holds_what_the_view_does(
    serve, used
):
    async def view(request):
        if used == "planned":
            await Author.objects.acount()
        elif used:
            list(Author.objects.all())
        block = transaction.atomic()
        await sync_to_async(block.__enter__)()
        await Author.objects.acreate(name="Ada")
        Author.objects.create(name="Grace")
        seen = [author.name for author in Author.objects.order_by("name")]
        await sync_to_async(block.__exit__)(LookupError, LookupError(), None)
        return HttpResponse(" ".join([*seen, "then", *await names()]))

    assert (await serve({"": view}).get("/")).body == b"Ada Grace then"
    assert await names() == []
