"""Views of every kind: empty, querying, waiting, in a transaction, streaming, logged in."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

import django
from django import forms
from django.contrib import auth
from django.db import connection, transaction
from django.db.models import F
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseForbidden,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render

from tests.invariant import assert_at_rest
from tests.served import counters
from tests.testapp.models import Author
from turbo_orm import atomic, run_sync

# Padded, so that a stream does not fit into the buffers between server and client.
WIDTH = 250
BATCH = 100
ROWS_OF_FILE = 5_000
# Django's own coroutines for users.
AWAITABLE = django.VERSION >= (5, 0)
V = TypeVar("V", bound=Callable[..., Any])


def without_csrf(view: V) -> V:
    """Do what `csrf_exempt` does to coroutine functions from Django 5.0 on."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def sleep_on_server(seconds: float) -> None:
    """Make the database server wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def seconds_of(request: HttpRequest) -> float:
    """Return how long the client wants it to take."""
    return float(request.GET.get("seconds", "0"))


async def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("empty")


async def port(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["REMOTE_PORT"])


async def author(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse((await Author.objects.aget(pk=pk)).name)


async def asleep(request: HttpRequest) -> HttpResponse:
    await run_sync(sleep_on_server, seconds_of(request))
    return HttpResponse("slept")


async def pair(request: HttpRequest, number: int) -> HttpResponse:
    async with atomic():
        await Author.objects.acreate(name="pair", age=number)
        await run_sync(sleep_on_server, seconds_of(request))
        await Author.objects.acreate(name="pair", age=number)
    return HttpResponse("both")


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(lines(seconds_of(request)), content_type="text/plain")


async def lines(pause: float) -> AsyncIterator[str]:
    """Yield every author, padded, in batches; wait so long after each."""
    batch = []
    async for found in Author.objects.order_by("pk").aiterator(chunk_size=500):
        batch.append(f"{found.name}:{found.age}".ljust(WIDTH - 1) + "\n")
        if len(batch) == BATCH:
            yield "".join(batch)
            batch.clear()
            await asyncio.sleep(pause)
    yield "".join(batch)


async def stream_in_block(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(lines_in_block(seconds_of(request)), content_type="text/plain")


async def lines_in_block(pause: float) -> AsyncIterator[str]:
    """Yield what `lines` does, inside a transaction that has written something."""
    async with atomic():
        await Author.objects.filter(name="counted").aupdate(age=F("age") + 1)
        async for piece in lines(pause):
            yield piece


async def iterated(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces(), content_type="text/plain")


def iterated_in_thread(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces(), content_type="text/plain")


def pieces() -> Iterator[str]:
    """Yield every author, padded, from a synchronous iterator, and count that in a transaction."""
    for found in Author.objects.order_by("pk").iterator(chunk_size=500):
        yield f"{found.name}:{found.age}".ljust(WIDTH - 1) + "\n"
    with transaction.atomic():
        Author.objects.filter(name="counted").update(age=F("age") + 1)


async def large_file(request: HttpRequest) -> FileResponse:
    # Closed with the response.
    opened = tempfile.TemporaryFile()  # noqa: SIM115
    opened.truncate(ROWS_OF_FILE * WIDTH)
    return FileResponse(opened, filename="large.bin")


async def account(request: Any) -> HttpResponse:
    user = await request.auser() if AWAITABLE else request.user
    if not user.is_authenticated:
        return HttpResponseForbidden()
    return HttpResponse(f"{user.username} {request.user.pk == user.pk}")


@without_csrf
async def upload(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.body)} {hashlib.sha256(request.body).hexdigest()}")


@without_csrf
async def log_in(request: Any) -> HttpResponse:
    watching = asyncio.create_task(watch_threads())
    credentials = {name: request.POST[name] for name in ("username", "password")}
    try:
        if AWAITABLE:
            user = await auth.aauthenticate(request, **credentials)
        else:
            user = auth.authenticate(request, **credentials)
    finally:
        watching.cancel()
    if user is None:
        return HttpResponseForbidden()
    if AWAITABLE:
        await auth.alogin(request, user)
    else:
        auth.login(request, user)
    return HttpResponse(user.username)


async def watch_threads() -> None:
    """Note the number of threads until cancelled: the loop goes on while a password hashes."""
    while True:
        counters.note_threads()
        await asyncio.sleep(0.001)


def synchronous(request: HttpRequest) -> HttpResponse:
    return render(request, "tests_served/authors.html", {"authors": Author.objects.all()[:3]})


async def rendered(request: HttpRequest) -> HttpResponse:
    return render(request, "tests_served/authors.html", {"authors": Author.objects.all()[:3]})


class AuthorForm(forms.ModelForm):
    class Meta:
        model = Author
        fields = ("name", "age")


@without_csrf
async def form(request: HttpRequest) -> HttpResponse:
    bound = AuthorForm(request.POST)
    if not bound.is_valid():
        return JsonResponse(bound.errors, status=400)
    return HttpResponse(bound.save().name)


async def file(request: HttpRequest) -> FileResponse:
    import io

    return FileResponse(io.BytesIO(b"file"), filename="file.txt")


async def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("as the test asked for")


async def state(request: HttpRequest) -> JsonResponse:
    return JsonResponse(counters.state())


async def at_rest(request: HttpRequest) -> HttpResponse:
    """Check the invariant of the pool in this process."""
    await assert_at_rest("default")
    return HttpResponse("at rest")
