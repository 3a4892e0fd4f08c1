"""Starlette on asyncpg's pool: no ORM at all."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from benchmarks.cases import LIST_LENGTH
from benchmarks.database import parts
from benchmarks.environments import ROOT
from benchmarks.served.keys import new_number, read_keys, written_keys

TEMPLATES = Jinja2Templates(ROOT / "benchmarks" / "served" / "jinja")
WORLD = "SELECT id, randomnumber FROM newsdesk_world WHERE id = $1"


async def empty(request: Request) -> Response:
    """Touch nothing."""
    return PlainTextResponse("empty")


async def article(request: Request) -> Response:
    """Fetch one row by primary key."""
    sql = "SELECT id, title FROM newsdesk_article WHERE id = $1"
    found = await request.app.state.pool.fetchrow(sql, request.path_params["key"])
    return PlainTextResponse(f"{found['id']}: {found['title']}")


async def articles(request: Request) -> Response:
    """Fetch an author's newest articles and render them by a template."""
    sql = (
        "SELECT id, title, created FROM newsdesk_article WHERE author_id = $1"
        f" ORDER BY created DESC LIMIT {LIST_LENGTH}"
    )
    found = await request.app.state.pool.fetch(sql, request.path_params["author"])
    return TEMPLATES.TemplateResponse(request, "articles.html", {"articles": found})


async def single(request: Request) -> Response:
    """Fetch one world."""
    found = await request.app.state.pool.fetchrow(WORLD, request.path_params["key"])
    return JSONResponse(as_json(*found))


async def queries(request: Request) -> Response:
    """Fetch many worlds, one after the other."""
    async with request.app.state.pool.acquire() as connection:
        statement = await connection.prepare(WORLD)
        found = [await statement.fetchrow(key) for key in read_keys(request.path_params["number"])]
    return JSONResponse([as_json(*row) for row in found])


async def fortunes(request: Request) -> Response:
    """Fetch all fortunes, add one, and render them by a template."""
    rows = await request.app.state.pool.fetch("SELECT id, message FROM newsdesk_fortune")
    found = [*((row["id"], row["message"]) for row in rows)]
    found.append((0, "Additional fortune added at request time."))
    found.sort(key=lambda fortune: fortune[1])
    return TEMPLATES.TemplateResponse(request, "fortunes.html", {"fortunes": found})


async def updates(request: Request) -> Response:
    """Fetch many worlds, one after the other, change them, and write them at once."""
    keys = written_keys(request.path_params["number"])
    async with request.app.state.pool.acquire() as connection:
        statement = await connection.prepare(WORLD)
        found = [await statement.fetchrow(key) for key in keys]
        changed = [(row["id"], new_number()) for row in found]
        sql = "UPDATE newsdesk_world SET randomnumber = $2 WHERE id = $1"
        await connection.executemany(sql, changed)
    return JSONResponse([as_json(*row) for row in changed])


def as_json(key: int, number: int) -> dict[str, int]:
    """Return a world as TechEmpower's benchmarks want it."""
    return {"id": key, "randomNumber": number}


ROUTES = [
    Route("/empty/", empty),
    Route("/article/{key:int}/", article),
    Route("/author/{author:int}/", articles),
    Route("/single/{key:int}/", single),
    Route("/queries/{number:int}/", queries),
    Route("/fortunes/", fortunes),
    Route("/updates/{number:int}/", updates),
]


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Return the application; it opens its pool when it starts."""
    where = parts(conninfo)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            host=where.get("host"),
            port=where.get("port", 5432),
            user=where.get("user"),
            password=where.get("password"),
            database=where.get("dbname"),
            min_size=connections,
            max_size=connections,
        ) as pool:
            app.state.pool = pool
            yield

    return Starlette(routes=ROUTES, lifespan=lifespan)
