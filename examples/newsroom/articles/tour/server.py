"""Serve the newsroom on a free loopback port, and ask it for a hundred things at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable

import uvicorn

from ..models import Article, Author
from .client import Client
from .pool import pool_line
from .report import expect

REQUESTS = 100
# Out of ten requests: how many read a page, read one article, write one.
PAGES, DETAILS, WRITES = 6, 3, 1

Note = Callable[[str], None]


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Client]:
    """Run the project's own ASGI application under uvicorn, in this loop; yield a client for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config("newsroom.asgi:application", lifespan="on", log_level="warning")
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        while not server.started:
            expect("server ended while starting", running.done(), False)
            await asyncio.sleep(0.01)
        yield Client(*listener.getsockname())
    finally:
        server.should_exit = True
        await running
        listener.close()


class Visitors:
    """A hundred clients that all knock at the same time."""

    def __init__(self, client: Client, author: int, slugs: list[str]) -> None:
        self.client = client
        self.author = author
        self.slugs = slugs
        self.times: list[float] = []

    async def visit(self, number: int) -> None:
        """Make one request and check the answer."""
        started = time.perf_counter()
        turn = number % (PAGES + DETAILS + WRITES)
        if turn < PAGES:
            await self.read_page(number)
        elif turn < PAGES + DETAILS:
            await self.read_article(self.slugs[number % len(self.slugs)])
        else:
            await self.write(number)
        self.times.append((time.perf_counter() - started) * 1000)

    async def read_page(self, number: int) -> None:
        """Read a page of the list: author and tags are in it."""
        answer = await self.client.get(f"/articles/?page={number % 5 + 1}")
        expect("status of the list", answer.status, 200)
        rows = answer.content["articles"]
        expect("articles on the page", len(rows), 20)
        expect("each has an author", all(row["author"]["name"] for row in rows), True)

    async def read_article(self, slug: str) -> None:
        """Read one article."""
        answer = await self.client.get(f"/articles/{slug}/")
        expect("status of the article", answer.status, 200)
        expect("its slug", answer.content["slug"], slug)

    async def write(self, number: int) -> None:
        """Send in an article; a draft, so that the pages stay as they are."""
        data = {"title": f"Visitor {number}", "author": self.author}
        answer = await self.client.post("/articles/", data)
        expect("status of the new article", answer.status, 201)


async def hundred_requests(note: Note) -> str:
    """Send all requests at once; check each answer, and afterwards what was written."""
    ada = await Author.objects.aget(name="Ada")
    slugs = await Article.objects.published().values_list("slug", flat=True)[:50].alist()
    before = await Article.objects.acount()
    async with serving() as client:
        visitors = Visitors(client, ada.pk, slugs)
        started = time.perf_counter()
        await asyncio.gather(*(visitors.visit(number) for number in range(REQUESTS)))
        seconds = time.perf_counter() - started
        note(f"served on port {client.port}; the pool: {await pool_line()}")
    await check_written(before)
    median = statistics.median(visitors.times)
    return f"{REQUESTS} right answers, {REQUESTS / seconds:.0f} a second, median {median:.0f} ms"


async def check_written(before: int) -> None:
    """Expect just the visitors' articles, and take them away again."""
    written = REQUESTS * WRITES // (PAGES + DETAILS + WRITES)
    expect("articles afterwards", await Article.objects.acount(), before + written)
    await Article.objects.filter(title__startswith="Visitor ").adelete()
