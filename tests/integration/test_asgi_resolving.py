"""The URL of a request is resolved before its middleware runs, and not twice where that is safe."""

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.urls.converters import IntConverter
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import lazy
from django.utils.translation import activate, get_language

from tests.middleware import place
from tests.serving.client import Client, Step
from tests.serving.wsgi import WSGIClient
from tests.testapp.models import Author
from turbo_orm.asgi.resolving import KNOWN

pytestmark = pytest.mark.needs_thread("synchronous views run in one")

LOCALE = ["django.middleware.locale.LocaleMiddleware"]
LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]


async def coroutine_view(request, **kwargs):
    return HttpResponse(f"coroutine {place()} {get_language()} {kwargs}")


def synchronous_view(request, **kwargs):
    return HttpResponse(f"synchronous {place()} {get_language()} {kwargs}")


PAGES = [path("coroutine/", coroutine_view), path("synchronous/", synchronous_view)]
PREFIXED = [*PAGES, *i18n_patterns(path("page/", include(PAGES)))]
UNPREFIXED = i18n_patterns(path("page/", include(PAGES)), prefix_default_language=False)


async def answered(handler, request_path, language="", cookie=""):
    headers = [("accept-language", language)] if language else []
    if cookie:
        headers.append(("cookie", f"django_language={cookie}"))
    client = WSGIClient(handler) if isinstance(handler, WSGIHandler) else Client(handler)
    answer = await client.request(Step("", request_path, headers=tuple(headers)))
    return answer.status, sorted(answer.headers), answer.body


@pytest.fixture
def serve_languages(serve):
    def start(views):
        settings = {"USE_I18N": True, "LANGUAGES": LANGUAGES, "LANGUAGE_CODE": "en"}
        return serve(views, middleware=LOCALE, **settings)

    return start


@pytest.mark.parametrize("kind", ["coroutine", "synchronous"])
@pytest.mark.parametrize(
    "asked",
    [
        (PREFIXED, "/en/page", "", ""),
        (PREFIXED, "/de/page", "", ""),
        (PREFIXED, "/de/page", "fr", "fr"),
        (PREFIXED, "/fr/page", "de", ""),
        (PREFIXED, "/it/page", "de", ""),
        (PREFIXED, "/page", "de", ""),
        (PREFIXED, "", "de", ""),
        (PREFIXED, "", "de", "fr"),
        (UNPREFIXED, "/page", "", ""),
        (UNPREFIXED, "/page", "de", "de"),
        (UNPREFIXED, "/de/page", "", ""),
        (UNPREFIXED, "/en/page", "", ""),
    ],
)
async def test_urls_with_a_language_lead_where_they_do_in_django(serve_languages, kind, asked):
    views, prefix, language, cookie = asked
    client = serve_languages(views)
    stock = WSGIHandler() if kind == "synchronous" else ASGIHandler()
    request = (f"{prefix}/{kind}/", language, cookie)
    ours = await answered(client.application, *request)
    # A coroutine view is on the loop in both, but in the bridge in ours alone.
    assert (ours[0], ours[1], ours[2].replace(b"bridge", b"loop")) == await answered(
        stock, *request
    )
    if ours[0] == 200:
        assert ours[2].split()[1] == (b"thread" if kind == "synchronous" else b"bridge")


@pytest.fixture
def resolutions(monkeypatch):
    """The paths that were resolved, each time."""
    resolved = []
    original = URLResolver.resolve

    def resolve(self, path):
        if self.pattern.__class__.__name__ == "RegexPattern":
            resolved.append(path)
        return original(self, path)

    monkeypatch.setattr(URLResolver, "resolve", resolve)
    return resolved


@pytest.mark.parametrize("kind", ["coroutine", "synchronous"])
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_url_that_depends_on_the_language_is_resolved_again_in_another(
    serve, resolutions, kind, language
):
    views = [*PAGES, path(lazy(lambda: f"{get_language()}-page/", str)(), coroutine_view)]
    options = {"USE_I18N": True, "LANGUAGES": LANGUAGES, "LANGUAGE_CODE": language}
    client = serve(views, middleware=[f"{__name__}.French"], **options)
    assert (await client.get(f"/{kind}/")).status == 200
    assert resolutions == [f"/{kind}/"] * (1 if language == "fr" else 2)
    place = "bridge" if language == "fr" else "loop"
    assert (await client.get("/fr-page/")).text == f"coroutine {place} fr {{}}"


class French(MiddlewareMixin):
    def process_request(self, request):
        activate("fr")


class SameAgain(MiddlewareMixin):
    def process_request(self, request):
        request.urlconf = tuple(PAGES)


@pytest.mark.parametrize(
    ("middleware", "times"),
    [
        ([], 1),
        (LOCALE, 1),
        ([f"{__name__}.French"], 1),
        ([f"{__name__}.SameAgain"], 2),
        (["django.middleware.common.CommonMiddleware"], 1),
    ],
)
@pytest.mark.parametrize("kind", ["coroutine", "synchronous"])
async def test_it_is_resolved_again_only_if_what_it_depends_on_has_changed(
    serve, resolutions, middleware, times, kind
):
    client = serve(PAGES, middleware=middleware, USE_I18N=True, LANGUAGES=LANGUAGES)
    assert (await client.get(f"/{kind}/")).status == 200
    assert resolutions == [f"/{kind}/"] * times


class Existing(IntConverter):
    """A converter that asks the database, and knows only what is there."""

    def to_python(self, value):
        try:
            return Author.objects.get(age=int(value))
        except Author.DoesNotExist:
            raise ValueError("no such author") from None


class Refusing(IntConverter):
    """A converter that fails until its middleware has been there."""

    ready = False

    def to_python(self, value):
        if not Refusing.ready:
            raise LookupError("not yet")
        return int(value)


class Readies(MiddlewareMixin):
    def process_request(self, request):
        Refusing.ready = True


class MakesAuthor(MiddlewareMixin):
    def process_request(self, request):
        Author.objects.create(name="made", age=7)


register_converter(Existing, "existing")
register_converter(Refusing, "refusing")


@pytest.mark.parametrize("kind", ["coroutine", "synchronous"])
async def test_what_a_converter_finds_is_what_it_finds_behind_the_middleware(serve, kind):
    view = synchronous_view if kind == "synchronous" else coroutine_view
    client = serve([path("<existing:author>/", view)], middleware=[f"{__name__}.MakesAuthor"])
    response = await client.get("/7/")
    assert (response.status, "made" in response.text) == (200, True)


async def test_an_error_of_a_converter_is_one_only_behind_the_middleware(serve):
    Refusing.ready = False
    client = serve([path("<refusing:number>/", coroutine_view)], middleware=[f"{__name__}.Readies"])
    response = await client.get("/7/")
    assert (response.status, response.text) == (200, "coroutine loop en-us {'number': 7}")


async def test_patterns_of_a_projects_own_are_resolved_in_their_place(serve, resolutions):
    class OwnPattern(URLPattern):
        pass

    pattern = path("", synchronous_view)
    client = serve([OwnPattern(pattern.pattern, synchronous_view)])
    assert (await client.get("/")).text.startswith("synchronous thread")
    assert resolutions == ["/", "/"]


async def test_with_views_on_the_loop_nothing_is_resolved_early(serve, resolutions):
    seen = []

    def view(request):
        seen.append(vars(request).get(KNOWN))
        return HttpResponse(place())

    client = serve([re_path("^$", view)], TURBO_ORM={"SYNC_VIEWS": "loop"})
    assert (await client.get("/")).text == "bridge"
    assert (seen, resolutions) == ([None], ["/"])


async def test_looking_for_the_language_leaves_nothing_on_the_request_or_in_the_context(serve):
    def view(request):
        attributes.append((request.LANGUAGE_CODE, KNOWN in vars(request)))
        return HttpResponse()

    client = serve(
        i18n_patterns(path("", view)),
        middleware=[f"{__name__}.NotesAttributes", *LOCALE],
        USE_I18N=True,
        LANGUAGES=LANGUAGES,
        LANGUAGE_CODE="en",
    )
    attributes.clear()
    assert (await client.get("/de/")).status == 200
    assert attributes == [("en", False), ("de", False)]


attributes = []


class NotesAttributes(MiddlewareMixin):
    def process_request(self, request):
        attributes.append((get_language(), hasattr(request, "LANGUAGE_CODE")))
