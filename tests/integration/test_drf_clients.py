"""DRF's test client and request factory, for asynchronous tests."""

import django
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseRedirect
from django.test import override_settings
from django.urls import path
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from turbo_orm import run_sync
from turbo_orm_drf import test, views

pytestmark = pytest.mark.rolled_back


class Echo(views.APIView):
    """Says what it was sent."""

    def get(self, request):
        data = request.data
        return Response(
            {
                "method": request.method,
                "query": dict(request.query_params),
                "data": {name: str(data[name]) for name in data},
                "type": request.content_type,
                "user": str(request.user),
                "header": request.headers.get("X-Said"),
            }
        )

    post = put = patch = delete = options = get


class Moved(views.APIView):
    def get(self, request):
        return HttpResponseRedirect("/echo/?moved=1")

    post = get


@pytest.fixture(autouse=True)
def urls():
    patterns = (path("echo/", Echo.as_view()), path("moved/", Moved.as_view()))
    with override_settings(ROOT_URLCONF=patterns, ALLOWED_HOSTS=["testserver"]):
        yield


METHODS = ["post", "put", "patch", "delete", "options"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", ["json", "multipart", None])
async def test_data_is_sent_in_a_format(method, form):
    response = await getattr(test.AsyncAPIClient(), method)("/echo/", {"a": "1"}, format=form)
    theirs = await run_sync(getattr(APIClient(), method), "/echo/", {"a": "1"}, format=form)

    assert response.json() == theirs.json()
    assert (response.json()["method"], response.json()["data"]) == (method.upper(), {"a": "1"})


async def test_a_body_may_be_given_as_it_is():
    response = await test.AsyncAPIClient().post("/echo/", "a=1&b=ü", content_type=FORM)
    empty = await test.AsyncAPIClient().post("/echo/", content_type="application/json")

    assert (response.json()["data"], response.json()["type"]) == ({"a": "1", "b": "ü"}, FORM)
    assert (empty.json()["data"], empty.json()["type"]) == ({}, "application/json")


FORM = "application/x-www-form-urlencoded"


async def test_files_are_sent():
    sent = {"file": SimpleUploadedFile("a.txt", b"text")}

    response = await test.AsyncAPIClient().post("/echo/", sent, format="multipart")

    assert response.json()["data"] == {"file": "a.txt"}


async def test_a_query_is_made_of_data_or_of_the_path():
    client = test.AsyncAPIClient()

    answers = [
        await client.get("/echo/", {"a": ["1", "2"]}),
        await client.get("/echo/?b=3"),
        await client.get("/echo/?b=3", {"a": "1"}),
    ]

    assert [answer.json()["query"] for answer in answers] == [
        {"a": ["1", "2"]},
        {"b": ["3"]},
        {"a": ["1"]},
    ]


async def test_headers_have_either_name():
    client = test.AsyncAPIClient(HTTP_X_SAID="always")

    answers = [
        await client.get("/echo/", HTTP_X_SAID="wsgi"),
        await client.get("/echo/", headers={"X-Said": "http"}),
        await test.AsyncAPIClient().get("/echo/", headers={"X-Said": "http"}),
        await client.get("/echo/"),
    ]

    said = [answer.json()["header"] for answer in answers]
    assert (said[0], said[2], said[3]) == ("wsgi", "http", "always")


async def test_sessions_and_csrf_are_as_in_drf():
    await User.objects.acreate(username="ada")
    client = test.AsyncAPIClient(enforce_csrf_checks=True)
    await run_sync(client.force_login, await User.objects.aget())

    got = await client.get("/echo/")
    refused = await client.post("/echo/")
    await client.alogout()

    assert (got.json()["user"], refused.status_code) == ("ada", 403)
    assert "CSRF Failed" in refused.json()["detail"]
    assert (await client.get("/echo/")).json()["user"] == "AnonymousUser"
    assert settings.SESSION_COOKIE_NAME not in client.cookies


async def test_forced_authentication_ends_the_session_with_it():
    client = test.AsyncAPIClient()
    await run_sync(client.force_login, await User.objects.acreate(username="ada"))
    client.force_authenticate(User(username="bob"))
    forced = await client.get("/echo/")
    client.force_authenticate()

    assert forced.json()["user"] == "bob"
    assert (await client.get("/echo/")).json()["user"] == "AnonymousUser"


@pytest.mark.skipif(django.VERSION < (5, 0), reason="Django's AsyncClient follows since 5.0")
async def test_redirects_are_followed():
    client = test.AsyncAPIClient()

    got = await client.get("/moved/", follow=True)

    assert (got.json()["query"], got.redirect_chain) == (
        {"moved": ["1"]},
        [("/echo/?moved=1", 302)],
    )
    posted = await client.post("/moved/", {"a": "1"}, format="json", follow=True)
    assert posted.json()["method"] == "GET"


async def test_requests_of_the_factory_are_asgis():
    factory = test.AsyncAPIRequestFactory(enforce_csrf_checks=True)
    user = User(username="ada")
    request = factory.put("/echo/?a=1", {"b": 2}, format="json", HTTP_X_SAID="x")
    test.force_authenticate(request, user)

    parsers = [JSONParser(), FormParser(), MultiPartParser()]
    seen = Request(request, parsers=parsers)

    assert (seen.data, seen.query_params["a"], seen.headers["X-Said"]) == ({"b": 2}, "1", "x")
    assert request.scope["type"] == "http"
    assert not request._dont_enforce_csrf_checks

    again = factory.get("/echo/")
    test.force_authenticate(again, user)
    assert (await Echo.as_view()(again)).data["user"] == "ada"


def test_the_bases_of_test_cases_have_drfs_client():
    for name in ("APISimpleTestCase", "APITransactionTestCase", "APITestCase"):
        case = getattr(test, name)
        assert (case.client_class, case.async_client_class) == (APIClient, test.AsyncAPIClient)
    assert test.APIClient is APIClient
