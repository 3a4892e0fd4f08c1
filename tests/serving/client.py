"""A minimal ASGI server and browser in one: it calls an application and keeps its cookies."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote

Application = Callable[..., Coroutine[Any, Any, None]]
Message = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Step:
    """One request.

    Args:
        name: what the test of it is called.
        path: with its query string; decoded path and raw path are made from it.
        body: one message of the protocol each; ``{csrf}`` in it becomes the cookie's token.
        disconnect: when the client leaves: "in the body" before its last message, "in the
            response" after the first chunk of it.
    """

    name: str
    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[bytes, ...] = (b"",)
    root_path: str = ""
    disconnect: str = ""


@dataclasses.dataclass
class Answer:
    """What the application sent."""

    status: int | None = None
    headers: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    body: bytes = b""
    finished: bool = False
    error: str = ""


class Client:
    """Keeps cookies from one request to the next."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.cookies: dict[str, str] = {}

    async def request(self, step: Step) -> Answer:
        """Send a request, in a task of its own as servers do, and wait until it is answered."""
        exchange = Exchange(step, self._bodies(step))
        scope = self._scope(step)
        try:
            await asyncio.create_task(self.application(scope, exchange.receive, exchange.send))
        except (Exception, asyncio.CancelledError) as error:  # what a server would log
            exchange.answer.error = f"{type(error).__name__}: {error}"
        self._keep_cookies(exchange.answer)
        return exchange.answer

    def _bodies(self, step: Step) -> list[bytes]:
        token = self.cookies.get("csrftoken", "").encode()
        return [part.replace(b"{csrf}", token) for part in step.body]

    def _scope(self, step: Step) -> dict[str, Any]:
        raw_path, _, query = step.path.partition("?")
        given = {name.lower() for name, _ in step.headers}
        headers = [*step.headers] if "host" in given else [("host", "testserver"), *step.headers]
        if self.cookies:
            cookies = "; ".join(f"{name}={value}" for name, value in sorted(self.cookies.items()))
            headers.append(("cookie", cookies))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": step.method,
            "scheme": "http",
            "path": step.root_path + unquote(raw_path),
            "raw_path": (step.root_path + raw_path).encode(),
            "query_string": query.encode("latin-1"),
            "root_path": step.root_path,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
            "client": ("127.0.0.1", 12345),
            "server": ("testserver", 80),
        }

    def _keep_cookies(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name.lower() != "set-cookie":
                continue
            for cookie in SimpleCookie(value).values():
                if cookie["max-age"] == "0" or cookie["max-age"] == 0:
                    self.cookies.pop(cookie.key, None)
                else:
                    self.cookies[cookie.key] = cookie.coded_value


class Exchange:
    """The server's side of one request."""

    def __init__(self, step: Step, bodies: list[bytes]) -> None:
        self.answer = Answer()
        self._step = step
        self._bodies = bodies
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        if self._step.disconnect == "in the body" and len(self._bodies) == 1:
            return {"type": "http.disconnect"}
        if self._bodies:
            body = self._bodies.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._bodies)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        answer = self.answer
        assert not answer.finished, f"sent after the end: {message}"
        if message["type"] == "http.response.start":
            assert answer.status is None, "started twice"
            answer.status = message["status"]
            answer.headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
            return
        assert message["type"] == "http.response.body", message
        assert answer.status is not None, "a body before its start"
        answer.body += message.get("body", b"")
        answer.finished = not message.get("more_body", False)
        if self._step.disconnect == "in the response" and answer.body:
            self._gone.set()
            # Nobody takes it any more: the application must hear that the client has left.
            await asyncio.Event().wait()
