"""What subclasses of Django's engine override and keep works in the bridge as in threads."""

import asyncio
import itertools
import json

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.db import DatabaseError, connections, transaction
from django.http import JsonResponse, StreamingHttpResponse
from django.utils.decorators import async_only_middleware

from tests.engines.changing import base as changing
from tests.engines.hooked import base as hooked
from tests.engines.keeping.base import DatabaseWrapper as Keeping
from tests.testapp.models import Author
from turbo_orm import atomic, eager, portal, run_sync
from turbo_orm.connection.carried import carry, carrying_class, djangos_names
from turbo_orm.connection.engine import bridged_class

ENGINES = "tests.engines"
IN_THREADS = "plain Django, which the bridge is compared with, has a connection for each thread"
TENANTS = [f"tenant{number}" for number in range(8)]


def one(sql, alias):
    """Return the first value that a statement gives."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@sync_to_async
def in_thread(function, alias, *args):
    """Call a function as plain Django does, with a new connection of the thread's own."""
    try:
        return function(alias, *args)
    finally:
        connections[alias].close()
        del connections[alias]


def use_all_hooks(alias):
    """Use each hook of an engine; return those that were called meanwhile."""
    one("SELECT 1", alias)
    hooked.calls[alias].clear()
    with transaction.atomic(using=alias):
        Author.objects.using(alias).create(name="kept")
        try:
            with transaction.atomic(using=alias):
                Author.objects.using(alias).create(name="lost")
                one("SELECT 1 / 0", alias)
        except DatabaseError:
            pass
        with transaction.atomic(using=alias):
            Author.objects.using(alias).update(age=1)
    try:
        with transaction.atomic(using=alias):
            one("SELECT 1 / 0", alias)
    except DatabaseError:
        pass
    assert [author.name for author in Author.objects.using(alias).iterator()] == ["kept"]
    connection = connections[alias]
    connection.set_autocommit(False)
    connection.savepoint_commit(connection.savepoint())
    connection.clean_savepoints()
    connection.rollback()
    connection.commit()
    connection.set_autocommit(True)
    calls = list(hooked.calls[alias])
    Author.objects.using(alias).all().delete()
    return calls


@pytest.mark.needs_thread(IN_THREADS)
async def test_each_hook_is_called_as_often_as_in_plain_django(make_alias):
    alias = make_alias(ENGINE=f"{ENGINES}.hooked", pool={"max_size": 1})

    plain = await in_thread(use_all_hooks, alias)
    ours = await run_sync(use_all_hooks, alias)

    assert ours == plain
    connecting = {"get_connection_params", "get_new_connection", "init_connection_state"}
    assert {*plain} == {*hooked.HOOKS} - connecting - {"close"}


@pytest.mark.needs_thread("an engine's own get_connection_params may block")
@pytest.mark.parametrize("hook", ["get_connection_params", "get_new_connection", "close"])
async def test_the_hooks_around_a_connection_are_called_for_each(make_alias, hook):
    alias = make_alias(ENGINE=f"{ENGINES}.hooked", pool={"min_size": 1, "max_size": 1})
    hooked.calls[alias] = []

    def use():
        one("SELECT 1", alias)
        connections[alias].close()

    await run_sync(use)
    await run_sync(use)

    assert hooked.calls[alias].count(hook) == (2 if hook == "close" else 1)


async def test_outside_the_bridge_a_method_that_an_engine_overrides_is_refused(make_alias):
    alias = make_alias(ENGINE=f"{ENGINES}.hooked")

    for name in ("cursor", "commit", "savepoint", "chunked_cursor"):
        with pytest.raises(SynchronousOnlyOperation, match=alias):
            getattr(connections[alias], name)()
    # Whoever makes a wrapper of Django's own would block the event loop, in the bridge as well.
    with pytest.raises(SynchronousOnlyOperation):
        await run_sync(lambda: connections.create_connection("default").cursor())


@pytest.mark.needs_thread("an engine's own get_connection_params may block")
@pytest.mark.parametrize("attempts", [0, 2])
async def test_parameters_are_asked_for_at_each_connection_in_a_thread(make_alias, attempts):
    alias = make_alias(ENGINE=f"{ENGINES}.changing", pool={"min_size": 1, "max_size": 2})
    changing.DatabaseWrapper.numbers = itertools.count(1)
    changing.refusals[alias] = attempts
    changing.asked_in.clear()
    met = asyncio.Event()
    waiting = []

    async def name():
        async with atomic(alias):
            found = await run_sync(one, "SHOW application_name", alias)
            waiting.append(found)
            if len(waiting) == 2:
                met.set()
            await asyncio.wait_for(met.wait(), 30)
            return found

    names = await asyncio.gather(name(), name())

    assert sorted(names) == ["token 1 edited", "token 2 edited"]
    assert len(changing.asked_in) == 2
    assert not any(thread.name == "MainThread" for thread in changing.asked_in)


async def test_an_engine_that_connects_by_itself_is_told_what_to_call(make_alias):
    alias = make_alias(ENGINE=f"{ENGINES}.foreign", pool={"max_size": 1})

    with pytest.raises(ImproperlyConfigured, match=r"super\(\)\.get_new_connection\(\)"):
        await run_sync(one, "SELECT 1", alias)


def observe(alias):
    """Return all that an engine keeps, and what its cursors make of it."""
    connection = connections[alias]
    names = [one("SHOW application_name", alias)]
    names += [
        row.name
        for row in Author.objects.using(alias)
        .raw("SELECT 1 AS id, current_setting('application_name') AS name")
        .iterator()
    ]
    return {
        "names": names,
        "kept": (connection.tenant, connection.owner, connection.label, connection.level),
        "visited": list(connection.visited),
        "noted": getattr(connection, "note", "none"),
        "helper": connection.helper.connection is connection,
        "session": connection.session == one("SELECT pg_backend_pid()", alias),
    }


def visit(alias, tenant):
    connections[alias].enter(tenant)
    connections[alias].note = f"note of {tenant}"
    return observe(alias)


UNVISITED = {
    "names": ["nobody", "nobody"],
    "kept": ("nobody", "nobody", "label of nobody", 0),
    "visited": [],
    "noted": "none",
    "helper": True,
    "session": True,
}


@pytest.fixture
def keeping(make_alias):
    return make_alias(ENGINE=f"{ENGINES}.keeping", pool={"min_size": 1, "max_size": 2})


@pytest.mark.needs_thread(IN_THREADS)
async def test_what_one_task_keeps_no_other_task_sees(keeping):
    async def task(tenant):
        first = await run_sync(visit, keeping, tenant)
        return [first, *await asyncio.gather(*(run_sync(observe, keeping) for _ in range(3)))]

    plain = [await in_thread(visit, keeping, tenant) for tenant in TENANTS]
    ours = await asyncio.gather(*(asyncio.create_task(task(tenant)) for tenant in TENANTS))

    assert plain[0]["names"] == ["tenant0", "tenant0"]
    assert plain[0]["noted"] == "note of tenant0"
    assert ours == [[each] * 4 for each in plain]
    assert await run_sync(observe, keeping) == UNVISITED


def test_an_attribute_that_only_instances_have_keeps_no_engine_from_the_bridge():
    class Fresh(Keeping):
        pass

    kind = carrying_class(Fresh)
    carry(kind, "set_later")

    assert issubclass(bridged_class(kind), Fresh)


def test_what_djangos_test_runner_leaves_on_a_wrapper_is_not_the_engines():
    assert "_test_serialized_contents" in djangos_names()


async def test_what_is_set_on_the_event_loop_holds_in_the_bridge(keeping):
    async def task(tenant):
        connections[keeping].enter(tenant)
        await asyncio.sleep(0)
        inside = await run_sync(observe, keeping)
        rows = Author.objects.using(keeping).raw(
            "SELECT 1 AS id, current_setting('application_name') AS name"
        )
        return connections[keeping].tenant, inside["names"], [row.name async for row in rows]

    tasks = [asyncio.create_task(task(tenant)) for tenant in TENANTS]

    assert await asyncio.gather(*tasks) == [
        (tenant, [tenant, tenant], [tenant]) for tenant in TENANTS
    ]
    assert connections[keeping].tenant == "nobody"


async def test_what_a_child_sets_its_parent_does_not_see(keeping):
    await run_sync(visit, keeping, "parent")

    async def child():
        return await run_sync(visit, keeping, "child")

    theirs = await asyncio.create_task(child())
    ours = await run_sync(observe, keeping)

    assert (theirs["names"], ours["names"]) == (["child"] * 2, ["parent"] * 2)
    eagerly = await eager(observe, keeping)
    assert eagerly["names"] == ["parent"] * 2


async def test_a_deleted_attribute_is_gone_for_this_context_only(keeping):
    def delete(name):
        delattr(connections[keeping], name)

    with pytest.raises(AttributeError):
        await run_sync(delete, "note")
    await run_sync(visit, keeping, "here")
    await run_sync(delete, "note")
    assert (await run_sync(observe, keeping))["noted"] == "none"
    with pytest.raises(AttributeError):
        await run_sync(delete, "note")


async def test_properties_and_class_attributes_stay_what_they_are(keeping):
    def own():
        connections[keeping].owner = "by property"
        return observe(keeping)

    seen = await run_sync(own)

    assert seen["visited"] == ["by property"]
    assert seen["kept"][:2] == ("by property", "by property")
    assert type(connections[keeping]).tenant == Keeping.tenant == "nobody"
    assert isinstance(connections[keeping], Keeping)


async def test_a_plain_engine_keeps_nothing_either(make_alias):
    alias = make_alias(pool={"max_size": 1})

    def mark(value):
        before = getattr(connections[alias], "mark", None)
        connections[alias].mark = value
        return before

    async def task(value):
        return await run_sync(mark, value), await run_sync(mark, value), connections[alias].mark

    tasks = [asyncio.create_task(task(value)) for value in range(4)]
    assert await asyncio.gather(*tasks) == [(None, value, value) for value in range(4)]


async def test_a_stream_does_not_wait_for_the_connection_of_its_own_job(make_alias):
    pool = {"min_size": 1, "max_size": 1, "timeout": 10}
    alias = make_alias(ENGINE=f"{ENGINES}.keeping", pool=pool)

    async def main():
        one("SELECT 1", alias)
        rows = Author.objects.using(alias).raw("SELECT 1 AS id, 'x' AS name")
        return [row.name async for row in rows], [
            author async for author in Author.objects.using(alias).aiterator()
        ]

    assert await portal(main()) == (["x"], [])


@async_only_middleware
def enter_tenant(get_response):
    """Enter the tenant that a header names, as django-tenants does by the host."""

    async def middleware(request):
        if "X-Tenant" in request.headers:
            connections[request.headers["X-Alias"]].enter(request.headers["X-Tenant"])
        return await get_response(request)

    return middleware


async def names_in_gather(alias):
    found = await asyncio.gather(*(run_sync(one, "SHOW application_name", alias) for _ in range(3)))
    return list(found)


async def direct(request):
    alias = request.headers["X-Alias"]
    await asyncio.sleep(0)
    return JsonResponse({"names": await run_sync(observe_names, alias)})


async def gathered(request):
    return JsonResponse({"names": await names_in_gather(request.headers["X-Alias"])})


async def in_block(request):
    alias = request.headers["X-Alias"]
    async with atomic(alias):
        names = await run_sync(observe_names, alias)
        try:
            async with atomic(alias):
                raise LookupError
        except LookupError:
            names += await run_sync(observe_names, alias)
    return JsonResponse({"names": names})


async def streamed(request):
    alias = request.headers["X-Alias"]

    async def pieces():
        rows = Author.objects.using(alias).raw(
            "SELECT id, current_setting('application_name') AS name"
            " FROM generate_series(1, 3) AS id"
        )
        async for row in rows:
            await asyncio.sleep(0)
            yield f"{row.name} "

    return StreamingHttpResponse(pieces())


def synchronous(request):
    return JsonResponse({"names": observe_names(request.headers["X-Alias"])})


def observe_names(alias):
    return observe(alias)["names"]


VIEWS = {
    "direct": direct,
    "gathered": gathered,
    "in_block": in_block,
    "streamed": streamed,
    "synchronous": synchronous,
}


@pytest.mark.needs_thread("a synchronous view runs in a thread")
@pytest.mark.parametrize("path", VIEWS)
async def test_no_request_sees_what_another_one_keeps(keeping, serve, path):
    client = serve(VIEWS, middleware=[f"{__name__}.enter_tenant"])

    async def ask(number):
        # Every ninth request says nothing of tenants.
        tenant = "nobody" if number % 9 == 8 else TENANTS[number % 9]
        headers = {"x-alias": keeping}
        if tenant != "nobody":
            headers["x-tenant"] = tenant
        response = await client.get(f"/{path}", headers=headers.items())
        assert response.status == 200
        text = response.text
        names = text.split() if path == "streamed" else json.loads(text)["names"]
        return tenant, set(names)

    connections[keeping].enter("the server's own")
    for _ in range(2):
        answers = await asyncio.gather(*map(ask, range(40)))
        assert [names for _, names in answers] == [{tenant} for tenant, _ in answers]
    assert connections[keeping].tenant == "the server's own"
    await in_thread(str, keeping)
