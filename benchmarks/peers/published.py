"""django-turbo-orm 0.2.0 as published: it owns the same import name, so it lives elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from ..cases import FOUR_LENGTH, LIST_LENGTH
from .base import Peer
from .django_settings import configure, fixed_pool


class Published(Peer):
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
        from ..newsdesk.models import Article

        # Each of the two packages has its own type for it.
        self.articles: Any = Article.objects
        connections = importlib.import_module("django_async_backend.db").async_connections
        self.pool = connections["default"].pool
        # It would open it itself, but in each of twenty tasks at once.
        await self.pool.open(wait=True)

    async def stop(self) -> None:
        """Close the pool."""
        await self.pool.close()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return await self.articles.aget(pk=key)

    async def newest(self, views: int) -> Sequence[Any]:
        """Fetch the newest published articles that were seen that often."""
        found = self.articles.filter(is_published=True, views__gte=views).order_by("-id")
        return await found[:LIST_LENGTH].alist()

    async def four_conditions(self, name: str, views: int, topic: str) -> Sequence[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        found = self.articles.filter(
            author__name=name, is_published=True, views__gte=views, title__contains=topic
        ).order_by("-created")
        return await found[:FOUR_LENGTH].alist()
