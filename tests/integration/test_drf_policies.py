"""Policies of views, written as coroutine functions or not."""

import base64

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache
from django.test import override_settings
from django.urls import path
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.filters import BaseFilterBackend
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AND, NOT, OR, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from tests.testapp.models import Author, Tag
from turbo_orm import run_sync
from turbo_orm.test import hops
from turbo_orm_drf import generics, serializers, views
from turbo_orm_drf.pagination import PageNumberPagination
from turbo_orm_drf.test import AsyncAPIClient

pytestmark = pytest.mark.rolled_back


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["name"]


class Empty(views.APIView):
    def get(self, request):
        return Response([str(request.user), str(request.auth)])


class Tags(generics.ListAPIView):
    queryset = Tag.objects.order_by("name")
    serializer_class = TagSerializer


@pytest.fixture
def ask():
    """Return a function that asks one view."""

    async def send(view, address="/x/", method="get", client=None, **extra):
        urls = (path("x/", view),)
        with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]):
            return await getattr(client or AsyncAPIClient(), method)(address, **extra)

    return send


class Named(BasePermission):
    """Is there an author whose name the client says?"""

    message = "Nobody of that name."

    async def has_permission(self, request, view):
        return await Author.objects.filter(name=request.headers.get("X-Name", "")).aexists()

    async def has_object_permission(self, request, view, obj):
        return await Author.objects.filter(name=obj.name).aexists()


class Tagged(BasePermission):
    """The same, synchronously, of tags."""

    def has_permission(self, request, view):
        return Tag.objects.filter(name=request.headers.get("X-Name", "")).exists()


COMPOSED = {
    "one": (Named, {"ada": True, "tag": False, "both": True, "none": False}),
    "and": (Named & Tagged, {"ada": False, "tag": False, "both": True, "none": False}),
    "or": (Tagged | Named, {"ada": True, "tag": True, "both": True, "none": False}),
    "not": (~Named, {"ada": False, "tag": True, "both": False, "none": True}),
    "nested": (~(Named & Tagged) & (Named | Tagged), {"ada": True, "tag": True, "both": False}),
    "three": (Named & ~Tagged | ~Named & Tagged, {"ada": True, "tag": True, "both": False}),
}


@pytest.mark.parametrize("name", COMPOSED)
async def test_permissions_are_composed_of_both_kinds(name, ask):
    permission, expected = COMPOSED[name]
    await Author.objects.abulk_create([Author(name="ada"), Author(name="both")])
    await Tag.objects.abulk_create([Tag(name="tag"), Tag(name="both")])
    view = Empty.as_view(permission_classes=[permission])

    answers = {who: await ask(view, headers={"X-Name": who}) for who in expected}

    assert {who: answer.status_code == 200 for who, answer in answers.items()} == expected


async def test_a_refusal_says_what_the_permission_says(ask):
    client = AsyncAPIClient()
    client.force_authenticate(User(username="ada"))
    answer = await ask(Empty.as_view(permission_classes=[Named]), client=client)

    assert (answer.status_code, answer.json()) == (403, {"detail": "Nobody of that name."})


async def test_permissions_for_an_object_may_be_coroutine_functions(ask):
    class ForObject(Named):
        async def has_permission(self, request, view):
            return True

    class One(generics.RetrieveAPIView):
        queryset = Tag.objects.all()
        serializer_class = TagSerializer
        permission_classes = [ForObject & ~~ForObject]
        lookup_field = "name"

        def get_object(self):
            self.kwargs = {"name": self.request.headers["X-Name"]}
            return super().get_object()

    await Author.objects.acreate(name="ada")
    await Tag.objects.abulk_create([Tag(name="ada"), Tag(name="bob")])

    answers = [await ask(One.as_view(), headers={"X-Name": name}) for name in ("ada", "bob")]

    assert [answer.status_code for answer in answers] == [200, 403]


async def test_permissions_that_a_method_gives_are_adopted_too(ask):
    class Choosing(Empty):
        def get_permissions(self):
            return [*super().get_permissions(), OR(AND(Named(), NOT(Tagged())), IsAuthenticated())]

    await Author.objects.acreate(name="ada")
    answers = [await ask(Choosing.as_view(), headers={"X-Name": name}) for name in ("ada", "x")]

    assert [answer.status_code for answer in answers] == [200, 403]


class AllOf(BasePermission):
    """Composes others in a way of its own."""

    def __init__(self, *operands):
        self.operands = operands

    def has_permission(self, request, view):
        return all(one.has_permission(request, view) for one in self.operands)


async def test_permissions_that_a_project_composes_are_adopted_too(ask):
    class Composing(Empty):
        def get_permissions(self):
            return [AllOf(AllOf(Tagged()), AllOf(Named()))]

    await Author.objects.acreate(name="both")
    await Tag.objects.abulk_create([Tag(name="both"), Tag(name="tag")])
    answers = [await ask(Composing.as_view(), headers={"X-Name": n}) for n in ("both", "tag")]

    assert [answer.status_code for answer in answers] == [200, 403]


class ByHeader(BaseAuthentication):
    async def authenticate(self, request):
        name = request.headers.get("X-Name")
        if name is None:
            return None
        try:
            return await User.objects.aget(username=name), name.upper()
        except User.DoesNotExist:
            raise AuthenticationFailed from None

    def authenticate_header(self, request):
        return "Name"


async def test_authenticators_may_be_coroutine_functions(ask):
    await User.objects.acreate(username="ada")
    view = Empty.as_view(authentication_classes=[ByHeader])
    names = ({"X-Name": "ada"}, {"X-Name": "bob"}, {})

    answers = [await ask(view, headers=headers) for headers in names]

    assert [answer.status_code for answer in answers] == [200, 401, 200]
    assert answers[0].json() == ["ada", "ADA"]
    assert answers[1]["WWW-Authenticate"] == "Name"
    assert answers[2].json() == ["AnonymousUser", "None"]


async def test_a_forced_user_and_credentials_are_sent_by_the_client(ask):
    client = AsyncAPIClient()
    ada = await User.objects.acreate(username="ada")
    view = Empty.as_view(authentication_classes=[ByHeader], permission_classes=[IsAuthenticated])

    client.force_authenticate(ada, token="t")
    forced = await ask(view, client=client)
    client.force_authenticate()
    client.credentials(HTTP_X_NAME="ada")
    sent = await ask(view, client=client)
    await client.alogout()
    out = await ask(view, client=client)

    assert (forced.json(), sent.json()) == (["ada", "t"], ["ada", "ADA"])
    assert out.status_code == 401


async def test_throttles_may_be_coroutine_functions(ask):
    class Few(BaseThrottle):
        async def allow_request(self, request, view):
            return await Tag.objects.acount() < 2

        async def wait(self):
            return 7.0 + await Tag.objects.acount()

    view = Empty.as_view(throttle_classes=[Few])
    before = await ask(view)
    await Tag.objects.abulk_create([Tag(name="a"), Tag(name="b")])
    after = await ask(view)

    assert (before.status_code, after.status_code, after["Retry-After"]) == (200, 429, "9")


async def test_a_rate_may_depend_on_what_a_coroutine_finds(ask):
    class PerAuthor(SimpleRateThrottle):
        rate = "1/day"

        async def get_cache_key(self, request, view):
            author = await Author.objects.filter(name=request.headers["X-Name"]).afirst()
            return author and f"author{author.pk}"

    caches["default"].clear()
    await Author.objects.acreate(name="ada")
    view = Empty.as_view(throttle_classes=[PerAuthor])
    names = ["ada", "ada", "nobody", "nobody"]
    answers = [await ask(view, headers={"X-Name": name}) for name in names]

    assert [answer.status_code for answer in answers] == [200, 429, 200, 200]


@pytest.mark.needs_thread("a cache in files waits for a disk")
async def test_a_throttle_whose_cache_blocks_is_off_the_loop(ask, tmp_path):
    class Files(SimpleRateThrottle):
        rate = "1/day"

        def get_cache_key(self, request, view):
            return "all"

    backend = f"{FileBasedCache.__module__}.{FileBasedCache.__qualname__}"
    kept = {"BACKEND": backend, "LOCATION": str(tmp_path)}
    with override_settings(CACHES={"default": {"BACKEND": LOCAL}, "files": kept}):
        view = Empty.as_view(throttle_classes=[type("F", (Files,), {"cache": caches["files"]})])
        with hops(strict=True) as counted:
            answers = [await ask(view), await ask(view)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert [name.rpartition(".")[2] for name in counted.threads] == ["get", "set", "get"]


LOCAL = "django.core.cache.backends.locmem.LocMemCache"


@pytest.mark.needs_thread("a password is hashed")
async def test_passwords_are_checked_off_the_loop(ask):
    await run_sync(User.objects.create_user, "ada", password="s3cret")
    view = Empty.as_view(authentication_classes=[BasicAuthentication])
    header = "Basic " + base64.b64encode(b"ada:s3cret").decode()
    with hops(strict=True) as counted:
        answer = await ask(view, HTTP_AUTHORIZATION=header)

    assert answer.json() == ["ada", "None"]
    assert [name.rpartition(".")[2] for name in counted.threads] == ["verify"]


async def test_filter_backends_may_be_coroutine_functions(ask):
    class Known(BaseFilterBackend):
        async def filter_queryset(self, request, queryset, view):
            names = [author.name async for author in Author.objects.all()]
            return queryset.filter(name__in=names)

    await Author.objects.abulk_create([Author(name="a"), Author(name="b")])
    await Tag.objects.abulk_create([Tag(name=name) for name in "abc"])
    view = type("Filtered", (Tags,), {"filterset_fields": ["name"]})
    both = view.as_view(filter_backends=[Known, DjangoFilterBackend])

    assert (await ask(both)).json() == [{"name": "a"}, {"name": "b"}]
    assert (await ask(both, "/x/?name=b")).json() == [{"name": "b"}]
    assert (await ask(both, "/x/?name=c")).json() == []


async def test_paginators_may_be_coroutine_functions(ask):
    class Announced(PageNumberPagination):
        page_size = 1

        async def get_paginated_response(self, data):
            return Response({"rows": data, "authors": await Author.objects.acount()})

    await Tag.objects.abulk_create([Tag(name=name) for name in "ab"])

    answer = await ask(Tags.as_view(pagination_class=Announced), "/x/?page=2")

    assert answer.json() == {"rows": [{"name": "b"}], "authors": 0}


async def test_renderers_and_parsers_may_be_coroutine_functions(ask):
    class Counting(JSONRenderer):
        async def render(self, data, *args):
            return super().render([data, await Tag.objects.acount()], *args)

    class Words(BaseParser):
        media_type = "text/plain"

        async def parse(self, stream, media_type=None, parser_context=None):
            return [*stream.read().decode().split(), str(await Tag.objects.acount())]

    class Echo(views.APIView):
        def post(self, request):
            return Response(request.data)

    view = Echo.as_view(renderer_classes=[Counting], parser_classes=[Words])
    answer = await ask(view, method="post", data="a b", content_type="text/plain")

    assert answer.json() == [["a", "b", "0"], 0]


async def test_the_exception_handler_may_be_a_coroutine_function(ask):
    class Failing(views.APIView):
        def get(self, request):
            raise LookupError("nothing")

        def get_exception_handler(self):
            return handler

    async def handler(error, context):
        return Response([str(error), await Tag.objects.acount()], status=418)

    answer = await ask(Failing.as_view())

    assert (answer.status_code, answer.json()) == (418, ["nothing", 0])
