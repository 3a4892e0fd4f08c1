"""Hooks that code adds to ``connection.execute_wrappers`` itself, as to a list of Django's."""

import asyncio
import copy

import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.http import HttpResponse

from tests.asgi_client import Client
from tests.testapp.models import Author
from turbo_orm import atomic, run_sync

IN_THREADS = "Django's own handler sends coroutine views' queries to a thread"


class Notes:
    """A hook that notes what it is called for."""

    def __init__(self):
        self.seen = []

    def __call__(self, execute, sql, params, many, context):
        self.seen.append(sql.split()[0])
        return execute(sql, params, many, context)


class Counts:
    """Middleware that counts queries, as many packages do."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        notes = Notes()
        connection.execute_wrappers.append(notes)
        try:
            response = self.get_response(request)
        finally:
            connection.execute_wrappers.remove(notes)
        response["Statements"] = " ".join(notes.seen)
        return response


async def coroutine_view(request):
    return HttpResponse(f"{await Author.objects.acount()}, {await Author.objects.acount()}")


async def gathering_view(request):
    counts = await asyncio.gather(Author.objects.acount(), Author.objects.acount())
    return HttpResponse(f"{counts}")


def synchronous_view(request):
    return HttpResponse(f"{Author.objects.count()}, {Author.objects.count()}")


@pytest.mark.needs_thread(IN_THREADS)
@pytest.mark.parametrize("view", [coroutine_view, gathering_view, synchronous_view])
async def test_middleware_that_adds_a_hook_sees_the_statements_of_the_view(serve, view):
    client = serve({"": view}, middleware=[f"{__name__}.Counts"])
    ours = await client.get("/")
    assert (ours["Statements"], ours.status) == ("SELECT SELECT", 200)
    assert ours == await Client(ASGIHandler()).get("/")


def appended(hooks, notes):
    hooks.append(notes)


def inserted(hooks, notes):
    hooks.insert(0, notes)


def extended(hooks, notes):
    hooks.extend([notes])


def assigned(hooks, notes):
    connection.execute_wrappers = [*hooks, notes]


def added(hooks, notes):
    connection.execute_wrappers += [notes]


@pytest.mark.needs_thread("what is tested")
async def test_a_thread_that_a_block_waits_for_changes_the_hooks_of_that():
    notes = Notes()

    def add():
        connection.execute_wrappers.append(notes)
        return Author.objects.count()

    def remove():
        connection.execute_wrappers.remove(notes)
        return Author.objects.count()

    async with atomic():
        await sync_to_async(add)()
        await Author.objects.acount()
        await sync_to_async(remove)()
    assert (notes.seen, connection.execute_wrappers) == (["SELECT", "SELECT"], [])


@pytest.mark.parametrize("add", [appended, inserted, extended, assigned, added])
async def test_hooks_are_called_until_they_are_removed_and_for_no_other_task(add):
    notes, go_on = Notes(), asyncio.Event()

    async def other():
        await go_on.wait()
        return await Author.objects.acount(), [*connection.execute_wrappers]

    beside = asyncio.create_task(other())
    before = connection.execute_wrappers
    await run_sync(lambda: add(connection.execute_wrappers, notes))
    await Author.objects.acount()
    async with atomic():
        await asyncio.create_task(Author.objects.acount())
    go_on.set()
    assert (await beside, notes.seen.count("SELECT")) == ((0, []), 2)
    assert copy.copy(connection.execute_wrappers) == [notes]
    connection.execute_wrappers = before
    notes.seen.clear()
    await Author.objects.acount()
    assert (notes.seen, connection.execute_wrappers) == ([], [])
