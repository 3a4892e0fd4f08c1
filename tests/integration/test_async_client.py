"""Django's AsyncClient goes through the bridge, and so does that of turbo_orm.test."""

import asyncio

import asgiref.sync
import django
import pytest
from django.apps import apps
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.test import AsyncClient, AsyncRequestFactory, override_settings
from django.test import client as django_client

from tests.middleware import CALLS, place
from tests.testapp.models import Article, Author
from turbo_orm import bridge, portal, run_sync
from turbo_orm import test as turbo_test
from turbo_orm.asgi import on_loop
from turbo_orm.patches import redirect as redirects

pytestmark = pytest.mark.rolled_back

CLIENTS = pytest.mark.parametrize("kind", [AsyncClient, turbo_test.AsyncClient])
AUTH = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
HASHES = "a password is hashed in a thread: it takes the CPU for long"


async def lazy(request):
    article = Article.objects.get()
    await asyncio.sleep(0)
    return HttpResponse(article.author.name)


async def user(request):
    return HttpResponse(f"{request.user.username} {place()}")


@login_required
@on_loop
def private(request):
    return HttpResponse(f"{request.user.username} {place()}")


async def visits(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    response = HttpResponse(str(request.session["visits"]))
    response.set_cookie("last", str(request.session["visits"]))
    return response


async def moved(request):
    return redirect(f"/{request.GET.get('to', 'visits')}")


async def failing(request):
    raise LookupError(f"no author among {Author.objects.count()}")


async def stream(request):
    async def names():
        async for author in Author.objects.order_by("name").aiterator(chunk_size=1):
            yield f"{author.name} "

    return StreamingHttpResponse(names())


async def data(request):
    author = await Author.objects.acreate(name=request.POST["name"])
    return JsonResponse({"pk": author.pk, "name": author.name})


VIEWS = {
    "lazy": lazy,
    "user": user,
    "private": private,
    "visits": visits,
    "moved": moved,
    "failing": failing,
    "stream": stream,
    "data": data,
}


@pytest.fixture(autouse=True)
def project(serve):
    serve(VIEWS, middleware=[*AUTH, "tests.middleware.AsyncClass", "tests.middleware.Mixin"])
    CALLS.clear()


@CLIENTS
async def test_an_async_view_may_use_the_synchronous_orm(kind):
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.acreate(title="Notes", author=author)
    response = await kind().get("/lazy")
    assert (response.status_code, response.content) == (200, b"Ada")
    assert response["Passed"] == "Mixin AsyncClass"
    assert {call.place for call in CALLS} == {"bridge"}


@CLIENTS
async def test_signals_are_sent_in_the_bridge(kind):
    seen = []

    def started(sender, **kwargs):
        seen.append(("started", place(), Author.objects.count()))

    def finished(sender, **kwargs):
        seen.append(("finished", place(), Author.objects.count()))

    request_started.connect(started)
    request_finished.connect(finished)
    try:
        await kind().post("/data", {"name": "Ada"})
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)
    assert seen == [("started", "bridge", 0), ("finished", "bridge", 1)]


@CLIENTS
async def test_a_request_enters_the_bridge_once(kind, full_pool, monkeypatch):
    client = kind()
    await client.get("/user")  # the first one makes the handler of Django's client ours
    entries = []
    original = bridge.Job

    def counted(function, *args):
        entries.append(function.__name__)
        return original(function, *args)

    monkeypatch.setattr(bridge, "Job", counted)
    response = await client.get("/visits")
    assert (response.content, entries) == (b"1", ["_drive_outermost"])


@pytest.mark.commits
@CLIENTS
async def test_a_form_is_posted_and_json_read(kind):
    response = await kind().post("/data", {"name": "Ada"})
    assert response.json() == {"pk": 1, "name": "Ada"}
    assert await Author.objects.acount() == 1


async def log_in(client, how, user):
    if how == "aforce_login":
        await client.aforce_login(user)
    else:
        await run_sync(client.force_login, user)


HOW = pytest.mark.parametrize(
    "how",
    [
        "force_login",
        pytest.param(
            "aforce_login",
            marks=pytest.mark.skipif(django.VERSION < (5, 0), reason="came with Django 5.0"),
        ),
    ],
)


@CLIENTS
@HOW
async def test_a_user_is_logged_in_without_a_password(kind, how):
    client = kind()
    await log_in(client, how, await User.objects.acreate(username="ada"))
    assert (await client.get("/user")).content == b"ada bridge"
    assert (await client.get("/private")).content == b"ada bridge"


@CLIENTS
@pytest.mark.needs_thread(HASHES)
async def test_a_user_is_logged_in_with_a_password_and_out_again(kind):
    await run_sync(User.objects.create_user, "ada", password="secret")
    client = kind()
    credentials = {"username": "ada", "password": "secret"}
    if django.VERSION >= (5, 0):
        assert await client.alogin(**credentials)
    else:
        assert await run_sync(lambda: client.login(**credentials))
    assert (await client.get("/user")).content == b"ada bridge"
    await run_sync(client.logout)
    assert (await client.get("/private")).status_code == 302


@CLIENTS
async def test_sessions_and_cookies_stay_with_the_client(kind):
    client = kind()
    assert [(await client.get("/visits")).content for _ in range(3)] == [b"1", b"2", b"3"]
    assert client.cookies["last"].value == "3"
    assert (await kind().get("/visits")).content == b"1"


@pytest.mark.skipif(django.VERSION < (5, 0), reason="follow came with Django 5.0")
@CLIENTS
async def test_redirects_are_followed(kind):
    response = await kind().get("/moved?to=visits", follow=True)
    assert (response.redirect_chain, response.content) == ([("/visits", 302)], b"1")


@CLIENTS
async def test_the_exception_of_a_view_is_raised_unless_the_client_wants_the_page(kind):
    with pytest.raises(LookupError, match="no author among 0"):
        await kind().get("/failing")
    client = kind(raise_request_exception=False)
    response = await client.get("/failing")
    assert response.status_code == 500
    assert repr(response.exc_info[1]) == "LookupError('no author among 0')"


@CLIENTS
async def test_a_stream_is_read_to_its_end(kind):
    for name in ("Ada", "Grace"):
        await Author.objects.acreate(name=name)
    response = await kind().get("/stream")
    assert [piece async for piece in response] == [b"Ada ", b"Grace "]


@pytest.mark.commits
@pytest.mark.parametrize("view", [lazy, user, data])
async def test_the_request_of_the_factory_may_be_handed_to_a_view(view):
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.acreate(title="Notes", author=author)
    request = AsyncRequestFactory().post("/", {"name": "Grace"})
    request.user = await User.objects.acreate(username="grace")
    response = await portal(view(request))
    expected = {lazy: b"Ada", user: b"grace bridge", data: b'{"pk": 2, "name": "Grace"}'}
    assert response.content == expected[view]


def test_djangos_own_handler_is_kept_where_django_is_not_redirected():
    config = apps.get_app_config("turbo_orm")
    redirects.revert()
    try:
        with override_settings(TURBO_ORM={"REDIRECT_DJANGO": False}):
            config.ready()
            redirects.apply_in_tests()
            client = AsyncClient()
            client.handler.load_middleware(is_async=True)
        assert type(client.handler) is django_client.AsyncClientHandler
        assert django_client.sync_to_async is asgiref.sync.sync_to_async
    finally:
        config.ready()
        redirects.apply_in_tests()


def test_the_client_keeps_its_class_and_its_handler_becomes_ours():
    client = AsyncClient()
    assert type(client.handler) is django_client.AsyncClientHandler
    client.handler.load_middleware(is_async=True)
    assert isinstance(client.handler, django_client.AsyncClientHandler)
    assert type(client.handler).__module__ == "turbo_orm.test.client"
