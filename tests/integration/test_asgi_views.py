"""What a view may do when turbo_orm.asgi serves it, and where it runs."""

import asyncio
import logging
import threading
import traceback

import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.contrib.auth.decorators import login_required
from django.db import connections
from django.http import HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from tests.testapp.models import Article, Author
from turbo_orm import in_bridge, run_sync
from turbo_orm.asgi import on_loop

IN_A_THREAD = "a synchronous view gets a thread unless it says otherwise"
AUTH = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


class AuthorForm(forms.ModelForm):
    class Meta:
        model = Author
        fields = ("name", "age")


class ArticleForm(forms.ModelForm):
    class Meta:
        model = Article
        fields = ("title", "author")


def backend_pid(alias="default"):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


async def wait_until_gone(pid):
    """Wait until a server process has ended, which takes it a moment."""
    for _ in range(500):
        if not await run_sync(is_connected, pid):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the backend is still there")


def is_connected(pid):
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone() == (1,)


async def test_an_async_view_may_follow_a_lazy_relation(serve):
    author = await Author.objects.acreate(name="Ada")
    await Article.objects.acreate(title="Notes", author=author)

    async def view(request):
        article = await Article.objects.aget()
        return HttpResponse(article.author.name)

    assert (await serve({"": view}).get("/")).text == "Ada"


async def test_an_async_view_may_use_the_synchronous_orm(serve):
    await Author.objects.acreate(name="Ada")

    async def view(request):
        Author.objects.create(name="Grace")
        return HttpResponse(", ".join(author.name for author in Author.objects.order_by("name")))

    assert (await serve({"": view}).get("/")).text == "Ada, Grace"


async def test_an_async_view_may_validate_and_save_a_form(serve):
    author = await Author.objects.acreate(name="Ada")

    async def view(request):
        form = ArticleForm(request.POST)
        if not form.is_valid():
            return HttpResponse(form.errors.as_json(), status=400)
        return HttpResponse(form.save().author.name)

    client = serve({"": view})
    wrong = await client.post("/", {"title": "Notes", "author": author.pk + 1})
    right = await client.post("/", {"title": "Notes", "author": author.pk})
    assert (wrong.status, "invalid_choice" in wrong.text) == (400, True)
    assert (right.status, right.text) == (200, "Ada")
    assert await Article.objects.acount() == 1


async def test_an_async_view_may_render_a_lazy_queryset_and_the_user(serve, templates):
    await Author.objects.acreate(name="Ada")
    templates["page"] = "{% for a in authors %}{{ a }} {% endfor %}{{ request.user.is_anonymous }}"

    async def view(request):
        return render(request, "page", {"authors": Author.objects.all()})

    assert (await serve({"": view}, middleware=AUTH).get("/")).text == "Ada True"


async def test_the_response_of_a_template_is_rendered_in_the_bridge(serve, templates):
    await Author.objects.acreate(name="Ada")
    templates["page"] = "{% for author in authors %}{{ author }}{% endfor %}"

    async def view(request):
        return TemplateResponse(request, "page", {"authors": Author.objects.all()})

    assert (await serve({"": view}).get("/")).text == "Ada"


async def test_the_render_of_a_response_may_be_a_coroutine_function(serve):
    await Author.objects.acreate(name="Ada")

    class Rendered(HttpResponse):
        async def render(self):
            author = await Author.objects.aget()
            self.content = author.name
            return self

    async def view(request):
        return Rendered()

    assert (await serve({"": view}).get("/")).text == "Ada"


async def test_a_class_based_view_with_async_handlers_runs_on_the_loop(serve):
    class Authors(View):
        async def get(self, request):
            await asyncio.sleep(0)
            return HttpResponse(", ".join(a.name for a in Author.objects.all()))

        async def post(self, request):
            author = AuthorForm(request.POST).save()
            return HttpResponse(str(author.pk), status=201)

    client = serve({"": Authors.as_view()})
    assert (await client.post("/", {"name": "Ada", "age": 36})).status == 201
    assert (await client.get("/")).text == "Ada"
    assert (await client.request("/", "PUT")).status == 405


@pytest.mark.needs_thread(IN_A_THREAD)
async def test_a_sync_view_gets_a_thread_whose_connection_is_closed_at_the_end(serve):
    seen = []

    def view(request):
        seen.append((threading.current_thread() is threading.main_thread(), in_bridge()))
        return HttpResponse(str(backend_pid()))

    pid = int((await serve({"": view}).get("/")).text)
    assert seen == [(False, False)]
    await wait_until_gone(pid)


@pytest.mark.needs_thread("the view asks for one itself")
async def test_the_connection_that_a_views_own_hop_opened_is_closed_at_the_end(serve):
    async def view(request):
        pid = await sync_to_async(backend_pid)()
        return HttpResponse(f"{pid} {await run_sync(is_connected, pid)}")

    pid, connected = (await serve({"": view}).get("/")).text.split()
    assert connected == "True"
    await wait_until_gone(int(pid))


def where(request, *args, **kwargs):
    assert threading.current_thread() is threading.main_thread()
    assert in_bridge()
    return HttpResponse(str(Author.objects.count()))


class OnLoop(View):
    def get(self, request):
        return where(request)


@method_decorator(on_loop, name="dispatch")
class Marked(OnLoop):
    pass


class Site:
    def view(self, request):
        return where(request)


def fresh():
    """Return a view of its own for each mark, since the mark is left on the function."""
    return lambda request: where(request)


@pytest.mark.parametrize(
    "view",
    [
        on_loop(fresh()),
        on_loop(OnLoop.as_view()),
        Marked.as_view(),
        on_loop(Site().view),
        csrf_exempt(on_loop(fresh())),
        on_loop(csrf_exempt(fresh())),
        require_GET(on_loop(fresh())),
        login_required(on_loop(fresh())),
    ],
    ids=[
        *("function", "as_view", "method_decorator", "bound method", "under csrf_exempt"),
        *("over csrf_exempt", "under require_GET", "under login_required"),
    ],
)
async def test_a_view_marked_on_loop_runs_in_the_bridge(serve, view, logged_in):
    client = await logged_in(serve({"": view}, middleware=AUTH))
    response = await client.get("/")
    assert (response.status, response.text) == (200, "0")


async def test_login_required_sends_the_anonymous_away_before_a_view_on_the_loop(serve):
    client = serve({"": login_required(on_loop(fresh()))}, middleware=AUTH, LOGIN_URL="/in/")
    response = await client.get("/")
    assert (response.status, response["Location"]) == (302, "/in/?next=/")


@pytest.mark.parametrize("view", [where, OnLoop.as_view()])
async def test_every_sync_view_runs_in_the_bridge_if_the_settings_say_so(serve, view):
    client = serve({"": view}, TURBO_ORM={"SYNC_VIEWS": "loop"})
    assert (await client.get("/")).text == "0"


async def returns_none(request):
    await Author.objects.acount()


unawaited = []


async def coroutine():
    raise AssertionError("somebody awaited it")


async def returns_coroutine(request):
    unawaited.append(coroutine())
    return unawaited[0]


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (returns_none, "didn't return an HttpResponse object. It returned None instead."),
        (returns_coroutine, "It returned an unawaited coroutine instead."),
    ],
)
async def test_a_view_without_a_response_gets_djangos_complaint(serve, caplog, view, complaint):
    response = await serve({"": view}).get("/")
    (record,) = caplog.records
    for left in unawaited:
        left.close()
    assert response.status == 500
    assert (record.name, record.levelno) == ("django.request", logging.ERROR)
    assert record.exc_info[0] is ValueError
    assert complaint in str(record.exc_info[1])


async def test_the_error_of_a_view_is_logged_with_its_chain_and_the_line_of_the_view(serve, caplog):
    async def failing_view(request):
        try:
            Author.objects.get(name="nobody")
        except Author.DoesNotExist as error:
            raise LookupError("no author") from error

    response = await serve({"": failing_view}).get("/")
    (record,) = caplog.records
    error = record.exc_info[1]
    frames = [frame.name for frame in traceback.extract_tb(record.exc_info[2])]
    assert (response.status, repr(error)) == (500, "LookupError('no author')")
    assert type(error.__cause__) is Author.DoesNotExist
    assert frames[-1] == "failing_view"
