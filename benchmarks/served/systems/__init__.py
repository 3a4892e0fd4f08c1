"""One file per server that is compared, and the one table that names them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """Where a server's application is found, and what it is called in tables."""

    title: str
    module: str
    # What it is built on, for the record.
    distributions: tuple[str, ...]
    # The module that serves it.
    worker: str = "benchmarks.served.worker"
    # It has sessions and users, and what belongs to them.
    django: bool = True

    def load(self) -> Callable[..., Any]:
        """Return what makes the application; only its own process does so."""
        module = importlib.import_module(f".{self.module}", __name__)
        found: Callable[..., Any] = module.application
        return found


UVICORN = ("uvicorn", "uvloop", "httptools")
SYSTEMS = {
    "turbo": Entry(
        "Turbo ORM's handler", "turbo", ("turbo-orm-core", "django", "psycopg", *UVICORN)
    ),
    "django": Entry("Django's own handler", "django_asgi", ("django", "psycopg", *UVICORN)),
    "django-sync": Entry(
        "Django, gunicorn gthread",
        "django_wsgi",
        ("django", "psycopg", "gunicorn"),
        "benchmarks.served.gthread",
    ),
    "async-backend": Entry(
        "django-async-backend",
        "async_backend",
        ("django-async-backend", "django", "psycopg", *UVICORN),
    ),
    "starlette": Entry(
        "Starlette, asyncpg",
        "starlette_asyncpg",
        ("starlette", "asyncpg", "jinja2", *UVICORN),
        django=False,
    ),
    "fastapi": Entry(
        "FastAPI, SQLAlchemy",
        "fastapi_sqlalchemy",
        ("fastapi", "starlette", "sqlalchemy", "asyncpg", "jinja2", *UVICORN),
        django=False,
    ),
}


def application(system: str, conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Return the application of a system.

    Args:
        system: one of `SYSTEMS`.
        conninfo: the database, as libpq writes it.
        middleware: whether the seven default middleware are on.
        connections: the size of the pool.
    """
    make = SYSTEMS[system].load()
    return make(conninfo, middleware=middleware, connections=connections)
