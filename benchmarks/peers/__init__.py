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
    "published": Entry("django-turbo-orm 0.2.0", "published", "Published", elsewhere=True),
    "tortoise": Entry("Tortoise ORM (asyncpg)", "tortoise_orm", "TortoiseOrm"),
    "psycopg": Entry("raw psycopg pool", "raw", "RawPsycopg"),
    "asyncpg": Entry("raw asyncpg pool", "raw", "RawAsyncpg"),
}

__all__ = ["PEERS", "NotAvailable", "Peer"]
