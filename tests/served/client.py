"""A small HTTP client over sockets, which can go away at any point."""

import asyncio
from typing import NamedTuple


class Disconnected(Exception):
    """The server closed the connection before its answer was complete."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str]

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()


class Connection:
    """One connection, kept alive between requests; an async context manager."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> "Connection":
        # Small, so that what is not read stays with the server.
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, limit=2**16
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Go away at once, whatever is under way."""
        self.writer.transport.abort()

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """Send a request; a name with `_` becomes one with `-`, one without value is left out."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        if method == "POST" and "Content_Length" not in headers:
            named["Content-Length"] = str(len(body))
        lines += [f"{name}: {value}" for name, value in named.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and read its answer."""
        self.send(method, path, body, **headers)
        try:
            return await self.answer(has_body=method != "HEAD")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Disconnected(f"in the answer to {method} {path}") from error

    async def answer(self, *, has_body: bool = True) -> Answer:
        """Read an answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in filter(None, head[1:]):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition("=")
                cookies[cookie] = content.partition(";")[0]
        body = await self._body(headers) if has_body else b""
        return Answer(int(head[0].split(" ")[1]), headers, body, cookies)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join([chunk async for chunk in self.chunks()])
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        return await self.reader.read()

    async def chunks(self):
        """Yield the parts of a chunked body."""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            chunk = await self.reader.readexactly(size + 2)
            if not size:
                return
            yield chunk[:-2]
