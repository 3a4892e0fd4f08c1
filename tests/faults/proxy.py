"""A TCP proxy before the test server, in this process, that can freeze, cut and refuse."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.settings import SERVER


async def connect_to_server() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the server that DATABASE_URL names, on TCP or a Unix socket."""
    host = str(SERVER.get("host") or "/var/run/postgresql")
    port = int(SERVER.get("port") or 5432)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(str(Path(host) / f".s.PGSQL.{port}"))
    return await asyncio.open_connection(host, port)


@contextlib.contextmanager
def aborted(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Break a connection at the end, without a farewell."""
    try:
        yield
    finally:
        writer.transport.abort()


class Proxy:
    """Listens on a free port of 127.0.0.1 and forwards both ways; an async context manager."""

    def __init__(self) -> None:
        self.port = 0
        self.connections_made = self.connections_ended = self.pieces_held_up = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._held: list[asyncio.Event] = []
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[Any]] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        # Called in the same moment as the next piece from the server is forwarded.
        self.with_answer: Callable[[], None] | None = None

    async def __aenter__(self) -> "Proxy":
        await self.accept()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.refuse()
        await self.cut()

    async def accept(self) -> None:
        """Accept connections, always on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuse new connections; those that are open stay so."""
        if self._server is not None:
            self._server.close()
            self._server = None
            # The socket is closed with the next round of the loop.
            await asyncio.sleep(0)

    async def cut(self) -> None:
        """Break every open connection."""
        links = list(self._links)
        for link in links:
            link.cancel()
        if links:
            await asyncio.wait(links)

    def end(self, last_words: bytes = b"") -> None:
        """End every open connection politely (FIN), as a server does that stops."""
        for client in self._clients:
            client.write(last_words)
            client.close()

    def reset(self, last_words: bytes = b"") -> None:
        """End every open connection by a reset (RST), as a firewall does."""
        for client in self._clients:
            client.write(last_words)
            client.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            client.transport.abort()

    def end_half(self) -> None:
        """Say that nothing more comes from the server; what clients send is still read."""
        for client in self._clients:
            client.write_eof()

    def freeze(self) -> None:
        """Forward nothing any more, as a network does that loses every packet."""
        self._flowing.clear()

    def freeze_open(self) -> None:
        """Forward nothing any more on connections that are open; later ones are not held up."""
        self.freeze()
        self._held.append(self._flowing)
        self._flowing = asyncio.Event()
        self._flowing.set()

    def thaw(self) -> None:
        """Forward again, first of all what was held up."""
        for flowing in (*self._held, self._flowing):
            flowing.set()
        self._held.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections_made += 1
        # A link may be cut before it has connected: its client has to notice that too.
        self._clients.add(writer)
        with aborted(writer), contextlib.suppress(asyncio.CancelledError):
            link = asyncio.ensure_future(self._link(reader, writer))
            self._links.add(link)
            link.add_done_callback(self._links.discard)
            await asyncio.wait({link})
        self._clients.discard(writer)
        self.connections_ended += 1

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await connect_to_server()
        flowing = self._flowing
        with aborted(server_writer):
            ways = {
                asyncio.ensure_future(self._forward(reader, server_writer, flowing)),
                asyncio.ensure_future(self._forward(server_reader, writer, flowing)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.pieces_held_up += not flowing.is_set()
                await flowing.wait()
                writer.write(data)
                if self.with_answer is not None and writer in self._clients:
                    self.with_answer()
                await writer.drain()
