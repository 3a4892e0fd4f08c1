"""A path that leads to no view is answered as Django answers it, also by synchronous middleware."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync
from django.conf.urls.i18n import i18n_patterns
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import Http404, HttpResponse
from django.test import override_settings
from django.urls import path, register_converter
from django.urls.converters import IntConverter

from tests.serving.client import Client, Step
from tests.serving.wsgi import WSGIClient
from tests.testapp.models import Author
from turbo_orm import await_thread

pytestmark = pytest.mark.needs_thread("a request without a view runs in one")


async def coroutine_view(request, **kwargs):
    return HttpResponse("coroutine view")


def on_main_thread():
    return threading.current_thread() is threading.main_thread()


class Fallback:
    """Answer what is missing with a page of its own, as the middleware of flatpages does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code != 404 or not request.path_info.startswith("/flat/"):
            return response
        return HttpResponse(f"flat page, {Author.objects.count()}, {on_main_thread()}")


class RunsLoop(Fallback):
    """Run an event loop of its own, which is forbidden where one runs already."""

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code != 404:
            return response
        return HttpResponse(asyncio.run(self.answer()))

    async def answer(self):
        return f"from a loop of its own, {await Author.objects.acount()}"


class OtherUrls(Fallback):
    def __call__(self, request):
        request.urlconf = (path("nowhere/", coroutine_view),)
        return self.get_response(request)


class Failing(IntConverter):
    def to_python(self, value):
        raise LookupError("a converter that fails")


register_converter(Failing, "failing")


def synchronous_404(request, exception):
    return HttpResponse(f"no {request.path}", status=404)


def failing_404(request, exception):
    raise Http404("the page of missing pages is missing")


COMMON = "django.middleware.common.CommonMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
LANGUAGES = {"USE_I18N": True, "LANGUAGES": [("en", "English"), ("de", "German")]}
PLAIN = (path("page/", coroutine_view), path("number/<failing:number>/", coroutine_view))


class Urlconf:
    """A URLconf that has a page for what is missing."""

    urlpatterns = PLAIN

    def __init__(self, handler404):
        self.handler404 = handler404


CASES = {
    "fallback": ("/flat/about/", [f"{__name__}.Fallback", COMMON], PLAIN, {}),
    "fallback that has no page": ("/about/", [f"{__name__}.Fallback"], PLAIN, {}),
    "a loop of its own": ("/nowhere/", [f"{__name__}.RunsLoop"], PLAIN, {}),
    "URLs of the middleware's": ("/nowhere/", [f"{__name__}.OtherUrls"], PLAIN, {}),
    "slash appended": ("/page", [COMMON], PLAIN, {}),
    "slash appended beside a loop": ("/page", [f"{__name__}.RunsLoop", COMMON], PLAIN, {}),
    "language prefixed": ("/page/", [LOCALE], tuple(i18n_patterns(PLAIN[0])), LANGUAGES),
    "page of the project": ("/nowhere/", [COMMON], Urlconf(synchronous_404), {}),
    "page that fails": ("/nowhere/", [COMMON], Urlconf(failing_404), {}),
    "in debug": ("/nowhere/", [COMMON], PLAIN, {"DEBUG": True}),
    "converter that fails": ("/number/7/", [COMMON], PLAIN, {}),
}


async def answered(client, request_path):
    answer = await client.request(Step("", request_path, headers=(("accept-language", "de"),)))
    return answer.status, sorted(answer.headers), answer.body, answer.error


@pytest.mark.parametrize("case", CASES)
async def test_a_path_without_a_view_is_answered_as_by_django(serve, case):
    request_path, middleware, patterns, settings = CASES[case]
    await Author.objects.acreate(name="one")
    client = serve((), middleware=middleware, **settings)
    with override_settings(ROOT_URLCONF=patterns):
        ours = await answered(Client(client.application), request_path)
        assert ours == await answered(Client(ASGIHandler()), request_path)
        assert ours == await answered(WSGIClient(WSGIHandler()), request_path)


class AsksACoroutine(RunsLoop):
    """Wait for a coroutine as the documentation says."""

    def __call__(self, request):
        ways = {
            "/offered/": lambda: async_to_sync(self.answer)(),
            "/elsewhere/": lambda: await_thread(asyncio.run, self.answer()),
        }
        response = self.get_response(request)
        response["Answer"] = ways[request.path]()
        return response


@pytest.mark.parametrize("request_path", ["/offered/", "/elsewhere/"])
async def test_before_a_coroutine_view_middleware_waits_for_coroutines_in_documented_ways(
    serve, request_path
):
    views = {request_path[1:]: coroutine_view}
    client = serve(views, middleware=[f"{__name__}.AsksACoroutine"])
    ours = await answered(Client(client.application), request_path)
    assert (ours[0], dict(ours[1])["Answer"]) == (200, "from a loop of its own, 0")
    assert ours == await answered(Client(ASGIHandler()), request_path)
