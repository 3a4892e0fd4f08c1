"""A few lines of HTTP: the loop that serves also asks, so asking should cost next to nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What the server said."""

    status: int
    content: Any


class Client:
    """Ask one server for JSON, on a new connection each time."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    async def get(self, path: str) -> Answer:
        """Read a page."""
        return await self._ask("GET", path, b"")

    async def post(self, path: str, data: Any) -> Answer:
        """Send an object in."""
        return await self._ask("POST", path, json.dumps(data).encode())

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n".encode()
                + body
            )
            received = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
        head, _, content = received.partition(b"\r\n\r\n")
        try:
            return Answer(int(head.split()[1]), json.loads(content))
        except ValueError:
            # An error page; the step that asked looks at the status first.
            return Answer(int(head.split()[1]), content.decode())
