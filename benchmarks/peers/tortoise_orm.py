"""Tortoise ORM on asyncpg, with its documented accelerators installed."""

from __future__ import annotations

from typing import Any

from ..cases import FOUR_LENGTH, LIST_LENGTH
from ..database import parts
from .base import Peer


class TortoiseOrm(Peer):
    """Tortoise ORM; asyncpg keeps prepared statements by itself."""

    distributions = ("tortoise-orm", "asyncpg", "pypika-tortoise", "ciso8601", "orjson")

    async def start(self) -> None:
        """Describe the models and the pool."""
        from tortoise import Tortoise

        where = parts(self.conninfo)
        credentials = {
            "host": where.get("host"),
            "port": where.get("port", 5432),
            "user": where.get("user"),
            "password": where.get("password"),
            "database": where.get("dbname"),
            "minsize": self.size,
            "maxsize": self.size,
        }
        await Tortoise.init(
            config={
                "connections": {
                    "default": {
                        "engine": "tortoise.backends.asyncpg",
                        "credentials": credentials,
                    }
                },
                "apps": {
                    "newsdesk": {
                        "models": ["benchmarks.peers.tortoise_models"],
                        "default_connection": "default",
                    }
                },
                "use_tz": True,
                "timezone": "UTC",
            }
        )
        from .tortoise_models import Article

        self.articles = Article

    async def stop(self) -> None:
        """Close the pool."""
        from tortoise import Tortoise

        await Tortoise.close_connections()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return await self.articles.get(pk=key)

    async def newest(self, views: int) -> list[Any]:
        """Fetch the newest published articles that were seen that often."""
        found = self.articles.filter(is_published=True, views__gte=views).order_by("-id")
        return await found.limit(LIST_LENGTH)

    async def four_conditions(self, name: str, views: int, topic: str) -> list[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        found = self.articles.filter(
            author__name=name, is_published=True, views__gte=views, title__contains=topic
        ).order_by("-created")
        return await found.limit(FOUR_LENGTH)
