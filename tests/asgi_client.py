"""An ASGI server's side of a request, in the process of the test, and a fixture that serves views.

``Exchange`` is one request, message by message; ``Client`` makes them and keeps cookies.
"""

import asyncio
import dataclasses
from collections.abc import Iterable
from contextlib import ExitStack
from http.cookies import SimpleCookie
from importlib import import_module
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.test import override_settings
from django.urls import path as url

from tests.invariant import assert_at_rest
from tests.waiting import PATIENCE
from turbo_orm import open_pools, run_sync
from turbo_orm.asgi import get_asgi_application

FORM = "application/x-www-form-urlencoded"


@dataclasses.dataclass(frozen=True)
class Response:
    """All that was sent for one request."""

    status: int
    headers: list[tuple[str, str]]
    pieces: list[bytes]

    def __getitem__(self, name: str) -> str:
        return {key.lower(): value for key, value in self.headers}[name.lower()]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def cookies(self) -> SimpleCookie:
        found = SimpleCookie()
        for key, value in self.headers:
            if key.lower() == "set-cookie":
                found.load(value)
        return found


class Exchange:
    """One request; ``task`` is what a server runs for it."""

    def __init__(self, application, scope, body, received):
        self._incoming = asyncio.Queue()
        self._received = received
        self._outgoing = asyncio.Queue()
        self._sent = []
        for index, part in enumerate(body, start=1):
            more = index < len(body)
            self._incoming.put_nowait({"type": "http.request", "body": part, "more_body": more})
        self.task = asyncio.create_task(
            application(scope, self._receive, self._outgoing.put), name=scope["path"]
        )

    async def _receive(self):
        self._received.append(None)
        return await self._incoming.get()

    def disconnect(self):
        """Be a client that has gone."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def next_message(self):
        """Return the next message that is sent, None once the application has ended."""
        getting = asyncio.ensure_future(self._outgoing.get())
        await asyncio.wait(
            {getting, self.task}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE
        )
        if getting.done():
            self._sent.append(getting.result())
            return getting.result()
        getting.cancel()
        assert self.task.done(), "neither an answer nor an end"
        return None

    async def gone(self):
        """Disconnect, and wait until the application has noticed."""
        self.disconnect()
        await asyncio.wait_for(self.task, PATIENCE)

    async def response(self):
        """Wait for the end, and return all that was sent."""
        try:
            await asyncio.wait_for(asyncio.shield(self.task), PATIENCE)
        finally:
            while not self._outgoing.empty():
                self._sent.append(self._outgoing.get_nowait())
        start, *rest = self._sent
        headers = [(name.decode(), value.decode("latin1")) for name, value in start["headers"]]
        assert [message.get("more_body", False) for message in rest][-1:] == [False]
        pieces = [message["body"] for message in rest if message.get("body")]
        return Response(start["status"], headers, pieces)


class Client:
    """A browser: sends the cookies that it was given, and the CSRF token among them."""

    def __init__(self, application):
        self.application = application
        self.cookies = {}

    def begin(self, path, method="GET", body=(b"",), headers=(), received=None):
        """Begin a request and return it; ``body`` is sent in as many messages as it has parts.

        ``received`` grows whenever the application asks for a message.
        """
        path, _, query = path.partition("?")
        sent = dict(headers)
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if "csrftoken" in self.cookies:
            sent["x-csrftoken"] = self.cookies["csrftoken"]
        if any(body):
            sent.setdefault("content-length", str(sum(map(len, body))))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"testserver"),
                *((name.encode(), value.encode()) for name, value in sent.items()),
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
        }
        return Exchange(self.application, scope, list(body), [] if received is None else received)

    async def request(self, path, method="GET", body=(b"",), headers=()):
        response = await self.begin(path, method, body, headers).response()
        for name, morsel in response.cookies.items():
            if morsel["max-age"] == 0:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return response

    async def get(self, path, headers=()):
        return await self.request(path, headers=headers)

    async def post(self, path, data=()):
        """Send a form."""
        body = urlencode(data, doseq=True).encode()
        return await self.request(path, "POST", [body], {"content-type": FORM})


def urlconf(views):
    """Return what ROOT_URLCONF may be for views by path; other patterns are taken as they are."""
    if not isinstance(views, dict):
        return tuple(views)
    return tuple(url(path, view, name=path) for path, view in views.items())


@pytest.fixture
def serve(stack: ExitStack):
    """Return a function that serves views until the end of the test: ``serve({path: view})``."""

    def start(views: object, *, middleware: Iterable[str] | None = None, **options: object):
        options["ROOT_URLCONF"] = urlconf(views)
        if middleware is not None:
            options["MIDDLEWARE"] = list(middleware)
        stack.enter_context(override_settings(ALLOWED_HOSTS=["testserver"], **options))
        return Client(get_asgi_application())

    return start


@pytest.fixture
async def full_pool():
    """Open all connections of the pool, since one on its way counts as one in use."""
    await open_pools("default")
    await assert_at_rest("default")


@pytest.fixture
def templates(stack: ExitStack) -> dict[str, str]:
    """A dictionary: what a test puts there are the project's templates, by name."""
    sources: dict[str, str] = {}
    engine = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("django.template.loaders.locmem.Loader", sources)],
            "context_processors": ["django.template.context_processors.request"],
        },
    }
    stack.enter_context(override_settings(TEMPLATES=[engine]))
    return sources


@pytest.fixture
def logged_in():
    """Return a function that gives a client the session of a new user."""

    async def log_in(client: Client, name: str = "reader", **fields: object) -> Client:
        client.cookies[settings.SESSION_COOKIE_NAME] = await run_sync(new_session, name, fields)
        return client

    return log_in


def new_session(name: str, fields: dict[str, object]) -> str:
    """Return the key of a session in which a new user is logged in."""
    user = get_user_model().objects.create(username=name, **fields)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key
