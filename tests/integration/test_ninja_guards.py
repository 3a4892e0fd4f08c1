"""Authentication, throttling, errors and transactions of an operation, all on the event loop."""

import asyncio

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.asyncio import async_unsafe
from ninja.errors import HttpError
from ninja.security import APIKeyHeader, HttpBearer, django_auth, django_auth_is_staff
from ninja.testing import TestAsyncClient, TestClient
from ninja.throttling import AnonRateThrottle, BaseThrottle

from ninja import NinjaAPI, Router
from tests.asgi_client import Client
from tests.ninja import schemas
from tests.testapp.models import Article, Author, Tag
from turbo_orm import run_sync
from turbo_orm.asgi import TurboASGIHandler
from turbo_orm.test import AsyncClient
from turbo_orm_ninja import (
    TurboNinjaAPI,
    atomic_operation,
    handle_conflicts,
    handle_missing,
    turbo_view,
)


class SyncBearer(HttpBearer):
    def authenticate(self, request, token):
        return Author.objects.filter(name=token).first()


class AsyncBearer(HttpBearer):
    async def authenticate(self, request, token):
        return await Author.objects.filter(name=token).afirst()


class AsyncHeader(APIKeyHeader):
    async def authenticate(self, request, key):
        return await Author.objects.filter(name=key).afirst()


def by_function(request):
    return Author.objects.filter(name=request.headers.get("Authorization", "")[7:]).first()


async def by_coroutine(request):
    return await Author.objects.filter(name=request.headers["Authorization"][7:]).afirst()


@pytest.mark.parametrize(
    "auth",
    [SyncBearer(), AsyncBearer(), by_function, by_coroutine, [AsyncHeader(), SyncBearer()]],
    ids=["bearer", "coroutine bearer", "function", "coroutine function", "one of two"],
)
@pytest.mark.parametrize("place", ["operation", "router", "API"])
async def test_a_caller_is_known_by(auth, place):
    api = TurboNinjaAPI(auth=auth if place == "API" else None)

    async def me(request):
        return request.auth.name

    if place == "operation":
        api.get("/me", response=str, auth=auth)(me)
    elif place == "API":
        api.get("/me", response=str)(me)
    else:
        router = Router(auth=auth)
        router.get("/me", response=str)(me)
        api.add_router("", router)
    await Author.objects.acreate(name="ada")
    client = TestAsyncClient(api)

    known = await client.get("/me", headers={"Authorization": "Bearer ada"})
    unknown = await client.get("/me", headers={"Authorization": "Bearer bob"})

    assert (known.status_code, known.json()) == (200, "ada")
    assert (unknown.status_code, unknown.json()) == (401, {"detail": "Unauthorized"})


@pytest.mark.needs_thread("a callback that refuses to run on an event loop")
async def test_a_callback_that_refuses_to_run_on_the_loop_has_a_thread():
    api = TurboNinjaAPI()

    @async_unsafe("not here")
    def unsafe(request):
        return "known"

    @api.get("/me", auth=unsafe, response=str)
    async def me(request):
        return request.auth

    assert (await TestAsyncClient(api).get("/me")).json() == "known"


async def test_permissions_are_callables_too():
    api = TurboNinjaAPI()

    def editors_only(request):
        if not Author.objects.filter(name=request.headers["X-Name"], edited__gt=0).exists():
            raise HttpError(403, "editors only")
        return True

    @api.get("/it", auth=editors_only, response=bool)
    async def it(request):
        return request.auth

    ada = await Author.objects.acreate(name="ada")
    bob = await Author.objects.acreate(name="bob")
    await Article.objects.acreate(title="t", author=ada, editor=bob)
    client = TestAsyncClient(api)

    refused = await client.get("/it", headers={"X-Name": "ada"})
    allowed = await client.get("/it", headers={"X-Name": "bob"})

    assert (refused.status_code, refused.json()) == (403, {"detail": "editors only"})
    assert (allowed.status_code, allowed.json()) == (200, True)


async def test_a_session_is_read_on_the_loop():
    api = TurboNinjaAPI(urls_namespace="sessions")

    @api.get("/me", auth=django_auth, response=str)
    async def me(request):
        return request.auth.username

    @api.post("/staff", auth=django_auth_is_staff, response=str)
    async def staff(request):
        return request.auth.username

    class Urls:
        urlpatterns = [path("api/", api.urls)]

    user = await run_sync(User.objects.create_user, "ada")
    client = AsyncClient(enforce_csrf_checks=True)
    with override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["testserver"]):
        before = await client.get("/api/me")
        await client.aforce_login(user) if hasattr(client, "aforce_login") else await run_sync(
            client.force_login, user
        )
        inside = await client.get("/api/me")
        unsafe = await client.post("/api/staff")

    assert (before.status_code, inside.json(), unsafe.status_code) == (401, "ada", 403)
    assert unsafe.json() == {"detail": "CSRF check Failed"}


CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "database": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "ninja_throttles",
    },
}


@pytest.fixture
def throttle_table():
    with override_settings(CACHES=CACHES):
        call_command("createcachetable", verbosity=0)
        yield
        caches["database"].clear()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE ninja_throttles")


class FromHeader(AnonRateThrottle):
    def get_ident(self, request):
        return request.headers["X-Name"]


async def ask_with_throttle(throttle, names):
    api = TurboNinjaAPI()

    @api.get("/it", throttle=throttle, response=bool)
    async def it(request):
        return True

    client = TestAsyncClient(api)
    responses = await asyncio.gather(
        *(client.get("/it", headers={"X-Name": name}) for name in names)
    )
    return [response.status_code for response in responses]


async def test_throttles_in_local_memory_count_on_the_loop():
    cache.clear()

    assert await ask_with_throttle(FromHeader("2/m"), "aaab") == [200, 200, 429, 200]


async def test_throttles_in_the_database_keep_apart_who_asks_at_once(throttle_table):
    class InDatabase(FromHeader):
        cache = caches["database"]

    names = [f"n{number}" for number in range(8)]

    first = await ask_with_throttle(InDatabase("1/m"), names)
    second = await ask_with_throttle(InDatabase("1/m"), names)

    assert (first, second) == ([200] * 8, [429] * 8)


async def test_a_throttle_may_have_coroutines_and_a_time_to_wait():
    waited = []

    class Own(BaseThrottle):
        async def allow_request(self, request):
            self.count = await Tag.objects.acount()
            return not self.count

        def wait(self):
            waited.append(self.count * 1.5)
            return waited[-1]

    api = TurboNinjaAPI()

    @api.get("/it", throttle=Own(), response=bool)
    async def it(request):
        return True

    client = TestAsyncClient(api)
    allowed = await client.get("/it")
    await Tag.objects.acreate(name="one")
    refused = await client.get("/it")

    assert (allowed.status_code, refused.status_code) == (200, 429)
    assert waited == [1.5]


class Refused(Exception):
    pass


@pytest.mark.parametrize("waits", [False, True], ids=["function", "coroutine function"])
async def test_an_exception_handler_may_query_and_be_a(waits):
    api = TurboNinjaAPI()

    if waits:

        @api.exception_handler(Refused)
        async def refused(request, error):
            count = await Tag.objects.acount()
            return api.create_response(request, {"tags": count}, status=418)

    else:

        @api.exception_handler(Refused)
        def refused(request, error):
            return api.create_response(request, {"tags": Tag.objects.count()}, status=418)

    @api.get("/it")
    async def it(request):
        raise Refused

    response = await TestAsyncClient(api).get("/it")

    assert (response.status_code, response.json()) == (418, {"tags": 0})


@pytest.mark.needs_thread("asgiref waits for a coroutine in a loop of another thread")
def test_a_coroutine_handler_serves_synchronous_operations_as_well():
    api = TurboNinjaAPI()

    @api.exception_handler(Refused)
    async def refused(request, error):
        await asyncio.sleep(0)
        return HttpResponse("no", status=418)

    @api.get("/it")
    def it(request):
        raise Refused

    assert TestClient(api).get("/it").status_code == 418


async def test_an_exception_without_a_handler_is_raised():
    api = TurboNinjaAPI()

    @api.get("/it")
    async def it(request):
        raise Refused("nobody")

    with pytest.raises(Refused, match="nobody"):
        await TestAsyncClient(api).get("/it")


@pytest.mark.parametrize("make", [NinjaAPI, TurboNinjaAPI])
async def test_the_errors_of_the_orm_have_an_answer(make):
    api = handle_missing(handle_conflicts(make()))

    @api.get("/{pk}", response=schemas.Title)
    @turbo_view
    async def get(request, pk: int):
        return await Article.objects.aget(pk=pk)

    @api.post("/", response=schemas.TagOut)
    @turbo_view
    async def post(request):
        return await Tag.objects.acreate(name="same")

    client = TestAsyncClient(api)
    missing = await client.get("/1")
    made = await client.post("/")
    conflict = await client.post("/")

    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
    assert (made.status_code, made.json()) == (200, {"name": "same"})
    assert (conflict.status_code, conflict.json()) == (409, {"detail": "Conflict"})


async def test_an_atomic_operation_is_rolled_back_by_an_exception_with_a_handler():
    api = handle_conflicts(TurboNinjaAPI())

    @api.post("/atomic")
    @atomic_operation()
    async def atomic(request):
        await Tag.objects.acreate(name="first")
        await Tag.objects.acreate(name="first")

    @api.post("/plain")
    async def plain(request):
        await Tag.objects.acreate(name="second")
        await Tag.objects.acreate(name="second")

    client = TestAsyncClient(api)

    assert (await client.post("/atomic")).status_code == 409
    assert await Tag.objects.acount() == 0
    assert (await client.post("/plain")).status_code == 409
    assert await Tag.objects.acount() == 1


async def test_an_atomic_operation_fetches_its_result_inside_the_block():
    api = TurboNinjaAPI()

    @api.get("/it", response=list[schemas.TagOut])
    @atomic_operation(durable=True)
    async def it(request):
        await Tag.objects.acreate(name="new")
        return Tag.objects.select_for_update()

    response = await TestAsyncClient(api).get("/it")

    assert response.json() == [{"name": "new"}]
    assert await Tag.objects.acount() == 1


async def test_atomic_requests_hold_for_an_operation():
    api = TurboNinjaAPI(urls_namespace="atomic")

    @api.post("/it")
    async def it(request):
        await Tag.objects.acreate(name="gone")
        raise Refused

    class Urls:
        urlpatterns = [path("api/", api.urls)]

    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        with override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["testserver"]):
            response = await Client(TurboASGIHandler()).post("/api/it")
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert response.status == 500
    assert await Tag.objects.acount() == 0
