"""Many requests at once, and requests that are cancelled wherever they are."""

import asyncio
from functools import partial

import pytest
from django.db import connection
from django.test import override_settings
from django.urls import path
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from tests.drf import moved
from tests.drf.rows import fill
from tests.testapp.models import Tag
from tests.waiting import FOREVER, until_asleep
from turbo_orm import atomic, pool_stats, run_sync
from turbo_orm_drf import generics, serializers, views
from turbo_orm_drf.pagination import PageNumberPagination
from turbo_orm_drf.test import AsyncAPIClient


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["name"]


def sleep():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [FOREVER])


class SleepingField(serializers.CharField):
    def to_representation(self, value):
        sleep()


class SleepyFilter(BaseFilterBackend):
    async def filter_queryset(self, request, queryset, view):
        await run_sync(sleep)


class SleepyPermission(BasePermission):
    async def has_permission(self, request, view):
        await run_sync(sleep)


class Pages(PageNumberPagination):
    page_size = 1


class Tags(generics.ListAPIView):
    queryset = Tag.objects.order_by("name")
    serializer_class = TagSerializer
    pagination_class = Pages


class Sleeping(Tags):
    serializer_class = type("S", (serializers.Serializer,), {"name": SleepingField()})


class SlowlyCounted(Tags):
    pagination_class = type("Slow", (Pages,), {"_count": lambda self, *args: sleep()})


class Writing(views.APIView):
    async def post(self, request):
        async with atomic():
            await Tag.objects.acreate(name="gone")
            await run_sync(sleep)


class WritingInDRF(generics.CreateAPIView):
    queryset = Tag.objects.all()
    serializer_class = TagSerializer

    def perform_create(self, serializer):
        with_sleep = atomic()(self.save)
        with_sleep(serializer)

    def save(self, serializer):
        serializer.save(name="gone")
        sleep()


SLOW = {
    "field": ("get", Sleeping.as_view()),
    "count": ("get", SlowlyCounted.as_view()),
    "filter": ("get", Tags.as_view(filter_backends=[SleepyFilter])),
    "permission": ("get", Tags.as_view(permission_classes=[SleepyPermission])),
    "coroutine": ("post", Writing.as_view()),
    "action": ("post", WritingInDRF.as_view()),
}
urlpatterns = [path(f"{name}/", view) for name, (_, view) in SLOW.items()]
urlpatterns += [
    path(
        "tags/",
        generics.ListCreateAPIView.as_view(
            queryset=Tag.objects.order_by("name"), serializer_class=TagSerializer
        ),
    )
]


@pytest.fixture(autouse=True)
def host():
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield


@pytest.mark.parametrize("name", SLOW)
async def test_a_cancelled_request_ends_as_one(name, at_rest):
    method, _ = SLOW[name]
    await Tag.objects.acreate(name="t")
    with override_settings(ROOT_URLCONF=__name__):
        client = AsyncAPIClient()
        task = asyncio.ensure_future(getattr(client, method)(f"/{name}/", {"name": "x"}))
        await until_asleep()
        task.cancel()
        [outcome] = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(outcome, asyncio.CancelledError)
    assert [tag.name async for tag in Tag.objects.all()] == ["t"]


@pytest.mark.parametrize("path", ["/articles/", "/authors/?limit=2", "/cursor/", "/deep/"])
async def test_fifty_requests_at_once_share_a_pool_of_four(path):
    await run_sync(fill)
    with override_settings(ROOT_URLCONF=moved):
        expected = (await AsyncAPIClient().get(path)).json()
        answers = await asyncio.gather(*(AsyncAPIClient().get(path) for _ in range(50)))

    assert all(answer.json() == expected for answer in answers)
    assert pool_stats().size <= 4


async def test_writers_at_once_each_have_their_own_answer():
    # Django's client would raise what goes wrong in any request of the process.
    client = partial(AsyncAPIClient, raise_request_exception=False)
    with override_settings(ROOT_URLCONF=__name__):
        answers = await asyncio.gather(
            *(client().post("/tags/", {"name": f"n{n % 16}"}) for n in range(20))
        )

    made = [answer for answer in answers if answer.status_code == 201]
    assert len(made) == await Tag.objects.acount() == 16
    assert sorted(answer.data["name"] for answer in made) == sorted(f"n{n}" for n in range(16))


async def test_a_handler_that_waits_for_something_else_holds_no_connection(full_pool):
    class Waiting(views.APIView):
        async def get(self, request):
            await Tag.objects.acount()
            entered.set()
            await leave.wait()
            return Response(await Tag.objects.acount())

    entered, leave = asyncio.Event(), asyncio.Event()
    with override_settings(ROOT_URLCONF=(path("x/", Waiting.as_view()),)):
        task = asyncio.ensure_future(AsyncAPIClient().get("/x/"))
        await entered.wait()
        stats = pool_stats()
        leave.set()
        answer = await task

    assert (stats.idle, answer.json()) == (stats.size, 0)
