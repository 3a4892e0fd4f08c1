"""Tortoise ORM on asyncpg, with its documented accelerators installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..cases import FOUR_LENGTH, LIST_LENGTH, VALUES_LENGTH
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
        from . import tortoise_models

        self.models: Any = tortoise_models

    async def stop(self) -> None:
        """Close the pool."""
        from tortoise import Tortoise

        await Tortoise.close_connections()

    def newest_first(self, views: int) -> Any:
        """Return the query for the newest published articles that were seen that often."""
        found = self.models.Article.filter(is_published=True, views__gte=views)
        return found.order_by("-id").limit(LIST_LENGTH)

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return await self.models.Article.get(pk=key)

    async def newest(self, views: int) -> list[Any]:
        """Fetch the newest published articles that were seen that often."""
        found: list[Any] = await self.newest_first(views)
        return found

    async def joined(self, views: int) -> list[Any]:
        """Fetch the same articles and their authors by one statement."""
        found: list[Any] = await self.newest_first(views).select_related("author")
        return found

    async def labelled(self, views: int) -> list[Any]:
        """Fetch the same articles, and their labels by a second statement."""
        found: list[Any] = await self.newest_first(views).prefetch_related("labels")
        return found

    async def four_conditions(self, name: str, views: int, topic: str) -> list[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        found = self.models.Article.filter(
            author__name=name, is_published=True, views__gte=views, title__contains=topic
        ).order_by("-created")
        articles: list[Any] = await found.limit(FOUR_LENGTH)
        return articles

    async def count(self, author: int, views: int) -> int:
        """Count an author's articles that were seen that often."""
        found: int = await self.models.Article.filter(author_id=author, views__gte=views).count()
        return found

    async def exists(self, author: int, views: int) -> bool:
        """Tell whether there is one."""
        found = self.models.Article.filter(author_id=author, views__gte=views)
        answer: bool = await found.exists()
        return answer

    async def values_list(self, first: int) -> list[Any]:
        """Fetch three columns of many articles from a key on."""
        found = self.models.Article.filter(id__gte=first).order_by("id").limit(VALUES_LENGTH)
        rows: list[Any] = await found.values_list("id", "title", "views")
        return rows

    async def listing(self, length: int) -> list[Any]:
        """Fetch the first articles by primary key."""
        found: list[Any] = await self.models.Article.all().order_by("id").limit(length)
        return found

    async def create(self, title: str, views: int) -> Any:
        """Create a note."""
        return await self.models.Note.create(title=title, views=views)

    async def update(self, key: int, number: int) -> Any:
        """Change the number of a world without fetching it."""
        return await self.models.World.filter(pk=key).update(randomnumber=number)

    async def delete(self, key: int) -> Any:
        """Delete a draft without fetching it."""
        return await self.models.Draft.filter(pk=key).delete()

    async def bulk_create(self, rows: Sequence[tuple[str, int]]) -> Any:
        """Create many notes; it does not learn their keys."""
        note = self.models.Note
        return await note.bulk_create([note(title=title, views=views) for title, views in rows])

    async def get_or_create(self, title: str, views: int) -> Any:
        """Fetch the note of a title, or create it with so many views."""
        return await self.models.Note.get_or_create({"views": views}, title=title)

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        from tortoise.transactions import in_transaction

        async with in_transaction():
            world = await self.models.World.get(pk=key)
            await self.models.World.filter(pk=world.pk).update(randomnumber=number)
            return await self.models.Note.create(title=title, views=number)

    async def nap(self) -> Any:
        """Fetch the one row of the view that takes its time."""
        return await self.models.Nap.get(pk=1)
