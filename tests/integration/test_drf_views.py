"""Views of DRF's as coroutine functions: what they keep, and what may be a coroutine in them."""

import asyncio
from inspect import iscoroutinefunction

import pytest
from django.core.asgi import get_asgi_application as get_stock_application
from django.db import connection, transaction
from django.test import override_settings
from django.urls import path
from rest_framework import status
from rest_framework import viewsets as stock_viewsets
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView as StockAPIView

from tests.asgi_client import Client
from tests.testapp.models import Author, Tag
from turbo_orm import in_bridge, run_sync
from turbo_orm_drf import AsyncViewMixin, generics, routers, serializers, views, viewsets
from turbo_orm_drf.decorators import action, api_view
from turbo_orm_drf.test import AsyncAPIClient, AsyncAPIRequestFactory

pytestmark = pytest.mark.rolled_back
factory = AsyncAPIRequestFactory()


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["id", "name"]


@pytest.fixture
def ask(stack):
    """Return a function that asks one view, by its name or a pattern of its own."""

    async def send(view, method="get", address="/x/", data=None, pattern="x/", **options):
        urls = (path(pattern, view),)
        with override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"], **options):
            return await getattr(AsyncAPIClient(), method)(address, data)

    return send


class Everywhere(viewsets.ModelViewSet):
    """Each method that DRF calls is a coroutine function, and needs the database."""

    serializer_class = TagSerializer

    async def get_queryset(self):
        self.named = await Author.objects.acount()
        return Tag.objects.order_by("name")

    async def filter_queryset(self, queryset):
        await Author.objects.aexists()
        return super().filter_queryset(queryset).exclude(name="hidden")

    async def get_object(self):
        queryset = await self.filter_queryset(await self.get_queryset())
        return await queryset.aget(pk=self.kwargs["pk"])

    async def get_serializer(self, *args, **kwargs):
        await Author.objects.aexists()
        return super().get_serializer(*args, **kwargs)

    async def paginate_queryset(self, queryset):
        return [tag async for tag in queryset]

    async def get_paginated_response(self, data):
        return Response({"tags": data, "authors": await Author.objects.acount()})

    async def perform_create(self, serializer):
        await serializer.asave(name=serializer.validated_data["name"].upper())

    async def perform_update(self, serializer):
        await serializer.asave()

    async def perform_destroy(self, instance):
        await instance.adelete()

    async def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        request.counted = await Tag.objects.acount()

    async def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response["X-Counted"] = str(request.counted)
        return response

    @action(detail=True)
    async def same(self, request, pk=None):
        return Response((await self.get_object()).name)

    @action(detail=True)
    def mixed(self, request, pk=None):
        return Response(self.get_object().name)


@pytest.fixture
def router(stack):
    made = routers.DefaultRouter()
    made.register("tags", Everywhere, basename="tag")
    urls = tuple(made.urls)
    stack.enter_context(override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"]))
    return made


async def test_every_method_that_drf_calls_may_be_a_coroutine_function(router):
    client = AsyncAPIClient()
    await Author.objects.acreate(name="ada")
    await Tag.objects.acreate(name="hidden")

    created = await client.post("/tags/", {"name": "one"})
    pk = created.data["id"]
    changed = await client.patch(f"/tags/{pk}/", {"name": "two"})
    listed = await client.get("/tags/")
    actions = [await client.get(f"/tags/{pk}/{name}/") for name in ("same", "mixed")]
    deleted = await client.delete(f"/tags/{pk}/")

    assert (created.status_code, created.data) == (201, {"id": pk, "name": "ONE"})
    assert changed.data == {"id": pk, "name": "two"}
    assert listed.data == {"tags": [{"id": pk, "name": "two"}], "authors": 1}
    assert listed["X-Counted"] == "2"
    assert [answer.json() for answer in actions] == ["two", "two"]
    assert (deleted.status_code, await Tag.objects.acount()) == (204, 1)


async def test_synchronous_and_asynchronous_handlers_stand_in_one_view(ask):
    class Mixed(views.APIView):
        def get(self, request):
            return Response([in_bridge(), Tag.objects.count()])

        async def post(self, request):
            return Response([in_bridge(), await Tag.objects.acount(), request.data])

    got = await ask(Mixed.as_view())
    posted = await ask(Mixed.as_view(), "post", data={"a": 1})

    assert got.json() == [True, 0]
    assert posted.json() == [True, 0, {"a": 1}]


async def test_what_a_coroutine_raises_is_answered_by_the_exception_handler(ask):
    class Refusing(views.APIView):
        async def get(self, request):
            await Tag.objects.acount()
            raise ValidationError({"name": ["no"]})

    answer = await ask(Refusing.as_view())

    assert (answer.status_code, answer.json()) == (400, {"name": ["no"]})


async def test_a_function_may_be_of_either_kind(ask):
    @api_view(["GET", "POST"])
    async def asynchronous(request):
        """How many tags there are."""
        return Response(await Tag.objects.acount())

    @api_view()
    def synchronous(request):
        return Response(Tag.objects.count())

    assert (await ask(asynchronous)).json() == 0
    assert (await ask(synchronous)).json() == 0
    assert (await ask(synchronous, "post")).status_code == 405
    assert asynchronous.cls.__doc__ == "How many tags there are."
    assert (asynchronous.cls.__name__, asynchronous.cls.__module__) == ("asynchronous", __name__)


def test_a_view_keeps_what_drf_notes_on_it():
    class Plain(views.APIView):
        """Says nothing."""

    view = Plain.as_view(throttle_classes=[])
    theirs = StockAPIView.as_view(throttle_classes=[])
    actions = Everywhere.as_view({"get": "list"}, suffix="List")
    expected = stock_viewsets.ModelViewSet.as_view({"get": "list"}, suffix="List")

    assert iscoroutinefunction(view)
    noted = dict(vars(theirs), cls=Plain, view_class=Plain, __wrapped__=view.__wrapped__)
    assert vars(view) == noted
    assert (view.__doc__, view.__module__) == ("Says nothing.", __name__)
    assert actions.actions == expected.actions == {"get": "list"}
    assert actions.initkwargs == expected.initkwargs
    assert set(vars(actions)) == {*vars(expected), "__wrapped__"}


def test_our_views_are_drfs_and_each_others():
    for ours, drfs in ((viewsets, stock_viewsets),):
        for name in ours.__all__:
            assert issubclass(getattr(ours, name), getattr(drfs, name))
    assert issubclass(viewsets.ModelViewSet, viewsets.GenericViewSet)
    assert issubclass(viewsets.GenericViewSet, generics.GenericAPIView)
    assert issubclass(generics.ListAPIView, views.APIView)


async def test_the_mixin_makes_any_view_of_drfs_asynchronous(ask):
    class Theirs(StockAPIView):
        def get(self, request):
            return Response(self.count())

        def count(self):
            return Tag.objects.count()

    class Ours(AsyncViewMixin, Theirs):
        async def post(self, request):
            return Response(await Tag.objects.acount())

    assert (await ask(Ours.as_view())).json() == 0
    assert (await ask(Ours.as_view(), "post")).json() == 0


async def test_a_helper_that_drf_does_not_know_stays_a_coroutine_function(ask):
    class Helped(views.APIView):
        async def notify(self):
            return await Tag.objects.acount()

        def get(self, request):
            task = asyncio.ensure_future(self.notify())
            task.cancel()
            return Response("helped")

    assert iscoroutinefunction(Helped.notify)
    assert (await ask(Helped.as_view())).json() == "helped"


async def test_coroutines_call_and_inherit_each_others_methods(ask):
    class Listing:
        async def get_queryset(self):
            await Tag.objects.acount()
            return Tag.objects.order_by("-name")

    class First(Listing, generics.ListAPIView):
        serializer_class = TagSerializer

    class Second(First):
        async def get_queryset(self):
            return (await super().get_queryset()).filter(name__in=[n async for n in self.names()])

        async def names(self):
            yield "b"
            yield "c"

    class Third(Second):
        def get_queryset(self):
            return super().get_queryset().exclude(name="c")

    await Tag.objects.abulk_create([Tag(name=name) for name in "abc"])
    answers = [await ask(view.as_view()) for view in (First, Second, Third)]

    found = [[tag["name"] for tag in answer.json()] for answer in answers]
    assert found == [["c", "b", "a"], ["c", "b"], ["b"]]


async def test_a_method_is_a_coroutine_function_in_a_comprehension_too(ask):
    class Gathering(generics.GenericAPIView):
        queryset = Tag.objects.all()
        serializer_class = TagSerializer

        async def get_object(self):
            return (await Tag.objects.afirst()).name

        async def get(self, request):
            one = [await found for found in [self.get_object() for _ in range(2)]]
            return Response(one + await asyncio.gather(*(self.get_object() for _ in range(2))))

    await Tag.objects.acreate(name="t")

    assert (await ask(Gathering.as_view())).json() == ["t"] * 4


class Writing(views.APIView):
    async def post(self, request):
        await Tag.objects.acreate(name="written")
        if request.data["fails"]:
            raise APIException
        return Response(connection.in_atomic_block, status=status.HTTP_201_CREATED)


@pytest.mark.commits
@pytest.mark.parametrize(("fails", "answer", "left"), [(False, 201, 1), (True, 500, 0)])
async def test_atomic_requests_roll_back_what_an_exception_ends(serve, fails, answer, left):
    from django.db import connections

    client = serve({"x/": Writing.as_view()}, middleware=[])
    settings = connections.settings["default"]
    settings["ATOMIC_REQUESTS"] = True
    try:
        body = b'{"fails": %s}' % (b"true" if fails else b"false")
        response = await client.request("/x/", "POST", [body], {"content-type": "application/json"})
    finally:
        settings["ATOMIC_REQUESTS"] = False

    assert response.status == answer
    assert response.text in {"true", '{"detail":"A server error occurred."}'}
    assert await Tag.objects.acount() == left


class Slow(generics.ListAPIView):
    queryset = Tag.objects.order_by("name")
    serializer_class = TagSerializer

    def list(self, request):
        with transaction.atomic():
            return super().list(request)


@pytest.mark.commits
@pytest.mark.needs_thread("Django's own handler sends its signals in one")
async def test_under_djangos_own_handler_view_and_rendering_are_in_the_bridge(stack):
    from rest_framework.renderers import JSONRenderer

    rendered_in = []

    class Renderer(JSONRenderer):
        def render(self, *args, **kwargs):
            rendered_in.append((in_bridge(), Tag.objects.count()))
            return super().render(*args, **kwargs)

    await Tag.objects.acreate(name="t")
    urls = (path("x/", Slow.as_view(renderer_classes=[Renderer])),)
    stack.enter_context(
        override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"], MIDDLEWARE=[])
    )
    response = await Client(get_stock_application()).get("/x/")

    assert response.text == '[{"id":1,"name":"t"}]'
    assert rendered_in == [(True, 1)]


@pytest.mark.commits
@pytest.mark.needs_thread("Django's own handler sends its signals in one")
async def test_under_djangos_own_handler_a_cache_keeps_the_rendered_response(stack):
    cached = ["django.middleware.cache.UpdateCacheMiddleware"]
    cached += ["django.middleware.cache.FetchFromCacheMiddleware"]
    urls = (path("cached/", Slow.as_view()),)
    stack.enter_context(
        override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["testserver"], MIDDLEWARE=cached)
    )
    client = Client(get_stock_application())
    before = await client.get("/cached/")
    await Tag.objects.acreate(name="t")

    assert before.text == "[]"
    assert (await client.get("/cached/")).text == "[]"


async def test_a_view_can_be_called_without_any_handler():
    request = factory.post("/", {"name": "t"})
    view = viewsets.ModelViewSet
    made = type("Tags", (view,), {"serializer_class": TagSerializer, "queryset": Tag.objects.all()})

    response = await made.as_view({"post": "create"})(request)
    rendered = await response.render()

    assert (rendered is response, response.status_code, response.data["name"]) == (True, 201, "t")
    assert response.content == b'{"id":%d,"name":"t"}' % response.data["id"]


async def test_inside_the_bridge_a_view_is_rendered_by_whoever_entered_it():
    from turbo_orm import await_

    def call():
        response = await_(Slow.as_view()(factory.get("/")))
        return response.render().content

    assert await run_sync(call) == b"[]"
