"""django-turbo-orm 0.2.0 as published: it owns the same import name, so it lives elsewhere."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from typing import Any

from .async_backend import opened
from .django_queries import DjangoQueries
from .django_settings import configure, fixed_pool


class Published(DjangoQueries):
    """Its manager on django-async-backend's engine, whose pool it takes connections from."""

    distributions = (
        "django-turbo-orm",
        "django-async-backend",
        "django",
        "psycopg",
        "psycopg-pool",
    )

    async def start(self) -> None:
        """Set Django up with that package, and open its pool."""
        configure(
            self.conninfo,
            manager="turbo_orm.AsyncManager",
            engine="django_async_backend.db.backends.postgresql",
            pool=fixed_pool(self.size),
            apps=("django_async_backend", "turbo_orm"),
        )
        self.load_models()
        connections = importlib.import_module("django_async_backend.db").async_connections
        # Whose context asks for a connection owns it: that must be none that requests inherit.
        self.pool = await asyncio.create_task(opened(connections))

    async def stop(self) -> None:
        """Close the pool."""
        await self.pool.close()

    async def listed(self, queryset: Any) -> Sequence[Any]:
        """Return the rows of a queryset as a list."""
        found: Sequence[Any] = await queryset.alist()
        return found

    async def labelled(self, views: int) -> Sequence[Any]:
        """Leave it out."""
        self.lacks("labelled", "its prefetch_related() follows foreign keys only")

    async def values_list(self, first: int) -> Sequence[Any]:
        """Leave it out."""
        self.lacks("values_list", "its values_list() makes wrong objects")

    async def get_or_create(self, title: str, views: int) -> Any:
        """Leave it out."""
        self.lacks("get_or_create", "its aget_or_create() waits for a second connection")

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Leave it out."""
        self.lacks("transaction", "its statements are in no transaction")
