"""django-async-backend: Django's queries rewritten as coroutines, on its own engine and pool."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from .base import NotAvailable
from .django_queries import DjangoQueries
from .django_settings import configure, fixed_pool


class AsyncBackend(DjangoQueries):
    """Its manager, in the place of Django's; a task has one connection until its request ends."""

    distributions = ("django-async-backend", "django", "psycopg", "psycopg-pool")

    async def start(self) -> None:
        """Set Django up with that package, and open its pool."""
        configure(
            self.conninfo,
            manager="django_async_backend.db.models.manager.AsyncManager",
            engine="django_async_backend.db.backends.postgresql",
            pool=fixed_pool(self.size),
            apps=("django_async_backend",),
        )
        self.load_models()
        self.db: Any = importlib.import_module("django_async_backend.db")
        try:
            self.atomic: Any = importlib.import_module(
                "django_async_backend.db.transaction"
            ).async_atomic
            self.new_connection: Any = self.db.async_new_connection
        except (ImportError, AttributeError):
            raise NotAvailable("its releases for this Django are too old") from None
        # Whose context asks for a connection owns it: that must be none that requests inherit.
        self.pool = await asyncio.create_task(opened(self.db.async_connections))

    async def stop(self) -> None:
        """Close the pool."""
        await self.pool.close()

    @contextlib.asynccontextmanager
    async def in_request(self) -> AsyncIterator[None]:
        """Give the connection back at the end, as its receiver of `request_finished` does."""
        try:
            yield
        finally:
            await self.db.close_old_async_connections()

    async def labelled(self, views: int) -> Sequence[Any]:
        """Leave it out."""
        self.lacks("labelled", "it has no prefetch_related()")

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        async with self.atomic():
            return await self.select_update_insert(key, number, title)

    async def gathered(self, *keys: int) -> list[Any]:
        """Fetch articles by primary key, each on a connection of its own, as it demands."""
        return await asyncio.gather(*(self.new_connection(self.get(key)) for key in keys))


async def opened(connections: Any) -> Any:
    """Return the pool, open: it would open it itself, but in each of twenty tasks at once."""
    pool = connections["default"].pool
    await pool.open(wait=True)
    return pool
