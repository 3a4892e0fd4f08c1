"""FastAPI with a session of SQLAlchemy's for each request, as their documentations have it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.cases import LIST_LENGTH
from benchmarks.environments import ROOT
from benchmarks.peers.sqlalchemy_asyncio import engine_for
from benchmarks.peers.sqlalchemy_models import Article, Fortune
from benchmarks.peers.sqlalchemy_models import World as WorldRow
from benchmarks.served.keys import new_number, read_keys, written_keys

TEMPLATES = Jinja2Templates(ROOT / "benchmarks" / "served" / "jinja")
ROUTER = APIRouter()


class World(BaseModel):
    """A world as TechEmpower's benchmarks want it."""

    id: int
    randomNumber: int  # noqa: N815 - the name in their JSON


async def reading(request: Request) -> AsyncIterator[AsyncSession]:
    """Give a request that only reads a session; neither BEGIN nor ROLLBACK is sent."""
    async with request.app.state.reading() as session:
        yield session


async def writing(request: Request) -> AsyncIterator[AsyncSession]:
    """Give a request that writes a session."""
    async with request.app.state.writing() as session:
        yield session


Reading = Annotated[AsyncSession, Depends(reading)]
Writing = Annotated[AsyncSession, Depends(writing)]


@ROUTER.get("/empty/")
async def empty() -> PlainTextResponse:
    """Touch nothing."""
    return PlainTextResponse("empty")


@ROUTER.get("/article/{key}/")
async def article(key: int, session: Reading) -> PlainTextResponse:
    """Fetch one row by primary key."""
    found = await session.get_one(Article, key)
    return PlainTextResponse(f"{found.id}: {found.title}")


@ROUTER.get("/author/{author}/")
async def articles(request: Request, author: int, session: Reading) -> Response:
    """Fetch an author's newest articles and render them by a template."""
    newest = select(Article).where(Article.author_id == author).order_by(Article.created.desc())
    found = (await session.scalars(newest.limit(LIST_LENGTH))).all()
    return TEMPLATES.TemplateResponse(request, "articles.html", {"articles": found})


@ROUTER.get("/single/{key}/")
async def single(key: int, session: Reading) -> World:
    """Fetch one world."""
    return as_json(await session.get_one(WorldRow, key))


@ROUTER.get("/queries/{number}/")
async def queries(number: int, session: Reading) -> list[World]:
    """Fetch many worlds, one after the other."""
    return [as_json(await session.get_one(WorldRow, key)) for key in read_keys(number)]


@ROUTER.get("/fortunes/")
async def fortunes(request: Request, session: Reading) -> Response:
    """Fetch all fortunes, add one, and render them by a template."""
    found = [(each.id, each.message) for each in await session.scalars(select(Fortune))]
    found.append((0, "Additional fortune added at request time."))
    found.sort(key=lambda fortune: fortune[1])
    return TEMPLATES.TemplateResponse(request, "fortunes.html", {"fortunes": found})


@ROUTER.get("/updates/{number}/")
async def updates(number: int, session: Writing) -> list[World]:
    """Fetch many worlds, one after the other, change them, and write them at once."""
    found = [await session.get_one(WorldRow, key) for key in written_keys(number)]
    for world in found:
        world.randomnumber = new_number()
    await session.commit()
    return [as_json(world) for world in found]


def as_json(world: WorldRow) -> World:
    """Return a world as TechEmpower's benchmarks want it."""
    return World(id=world.id, randomNumber=world.randomnumber)


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Return the application; it fills its pool when it starts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = engine_for(conninfo, connections)
        for connection in [await engine.connect() for _ in range(connections)]:
            await connection.close()
        autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        app.state.reading = async_sessionmaker(autocommit, expire_on_commit=False)
        app.state.writing = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.include_router(ROUTER)
    return app
