"""One file per peer, and the one table that names them."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from .base import NotAvailable, Peer


class Entry(NamedTuple):
    """Where a peer is found, and what it is called in tables."""

    title: str
    module: str
    name: str
    # It cannot be imported in this environment; see environments.py.
    elsewhere: bool = False

    def load(self) -> type[Peer]:
        """Return the peer's class; only its own process does so."""
        found: type[Peer] = getattr(importlib.import_module(f".{self.module}", __name__), self.name)
        return found


PEERS = {
    "turbo": Entry("Turbo ORM", "turbo", "Turbo"),
    "turbo-without-plans": Entry("Turbo ORM, plans off", "turbo", "TurboWithoutPlans"),
    "django": Entry("Django's own a*", "django_own", "DjangoOwn"),
    "async-backend": Entry("django-async-backend", "async_backend", "AsyncBackend"),
    "published": Entry("django-turbo-orm 0.2.0", "published", "Published", elsewhere=True),
    "sqlalchemy": Entry("SQLAlchemy (asyncpg)", "sqlalchemy_asyncio", "SqlAlchemy"),
    "sqlalchemy-psycopg": Entry("SQLAlchemy (psycopg)", "sqlalchemy_asyncio", "SqlAlchemyPsycopg"),
    "tortoise": Entry("Tortoise ORM (asyncpg)", "tortoise_orm", "TortoiseOrm"),
    "piccolo": Entry("Piccolo (asyncpg)", "piccolo_orm", "PiccoloOrm"),
    "psycopg": Entry("raw psycopg pool", "raw_psycopg", "RawPsycopg"),
    "asyncpg": Entry("raw asyncpg pool", "raw_asyncpg", "RawAsyncpg"),
}
# A variant of ours, not something that one could use instead.
USUAL = [name for name in PEERS if name != "turbo-without-plans"]

__all__ = ["PEERS", "USUAL", "NotAvailable", "Peer"]
