"""Piccolo, on asyncpg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..cases import FOUR_LENGTH, LIST_LENGTH, VALUES_LENGTH, Row
from ..database import parts
from .base import Peer


class PiccoloOrm(Peer):
    """Its objects where it has them, its dictionaries for what it only selects."""

    distributions = ("piccolo", "asyncpg", "orjson")

    async def start(self) -> None:
        """Open the pool."""
        from piccolo.engine.postgres import PostgresEngine

        from . import piccolo_tables

        where = parts(self.conninfo)
        self.engine = PostgresEngine(
            config={
                "host": where.get("host"),
                "port": where.get("port", 5432),
                "user": where.get("user"),
                "password": where.get("password"),
                "database": where.get("dbname"),
            },
            # They are not needed, and it would ask for them first.
            extensions=(),
            log_queries=False,
        )
        piccolo_tables.bind(self.engine)
        self.tables: Any = piccolo_tables
        await self.engine.start_connection_pool(min_size=self.size, max_size=self.size)

    async def stop(self) -> None:
        """Close the pool."""
        await self.engine.close_connection_pool()

    def newest_of(self, query: Any, views: int) -> Any:
        """Restrict a query to the newest published articles that were seen that often."""
        article = self.tables.Article
        found = query.where(article.is_published.eq(True), article.views >= views)
        return found.order_by(article.id, ascending=False).limit(LIST_LENGTH)

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        article = self.tables.Article
        return await article.objects().get(article.id == key)

    async def newest(self, views: int) -> list[Any]:
        """Fetch the newest published articles that were seen that often."""
        found: list[Any] = await self.newest_of(self.tables.Article.objects(), views)
        return found

    async def joined(self, views: int) -> list[Any]:
        """Fetch the same articles and their authors by one statement."""
        article = self.tables.Article
        found: list[Any] = await self.newest_of(article.objects(article.author), views)
        return found

    async def labelled(self, views: int) -> list[Any]:
        """Fetch the same articles and their labels, which only its `select()` can."""
        article, label = self.tables.Article, self.tables.Label
        wanted = article.select(*article.all_columns(), article.labels(label.name, as_list=True))
        found: list[Any] = await self.newest_of(wanted, views)
        return found

    async def four_conditions(self, name: str, views: int, topic: str) -> list[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        article = self.tables.Article
        wanted = article.objects().where(
            article.author.name == name,
            article.is_published.eq(True),
            article.views >= views,
            article.title.like(f"%{topic}%"),
        )
        found: list[Any] = await wanted.order_by(article.created, ascending=False).limit(
            FOUR_LENGTH
        )
        return found

    async def count(self, author: int, views: int) -> int:
        """Count an author's articles that were seen that often."""
        article = self.tables.Article
        found: int = await article.count().where(article.author == author, article.views >= views)
        return found

    async def exists(self, author: int, views: int) -> bool:
        """Tell whether there is one."""
        article = self.tables.Article
        wanted = article.exists().where(article.author == author, article.views >= views)
        found: bool = await wanted
        return found

    async def values_list(self, first: int) -> list[Any]:
        """Fetch three columns of many articles from a key on, as dictionaries."""
        article = self.tables.Article
        wanted = article.select(article.id, article.title, article.views)
        found: list[Any] = (
            await wanted.where(article.id >= first).order_by(article.id).limit(VALUES_LENGTH)
        )
        return found

    async def listing(self, length: int) -> list[Any]:
        """Fetch the first articles by primary key."""
        article = self.tables.Article
        found: list[Any] = await article.objects().order_by(article.id).limit(length)
        return found

    async def create(self, title: str, views: int) -> Any:
        """Create a note."""
        return await self.tables.Note.objects().create(title=title, views=views)

    async def update(self, key: int, number: int) -> Any:
        """Change the number of a world without fetching it."""
        world = self.tables.World
        return await world.update({world.randomnumber: number}).where(world.id == key)

    async def delete(self, key: int) -> Any:
        """Delete a draft without fetching it."""
        draft = self.tables.Draft
        return await draft.delete().where(draft.id == key)

    async def bulk_create(self, rows: Sequence[tuple[str, int]]) -> Any:
        """Create many notes."""
        note = self.tables.Note
        return await note.insert(*(note(title=title, views=views) for title, views in rows))

    async def get_or_create(self, title: str, views: int) -> Any:
        """Fetch the note of a title, or create it with so many views."""
        note = self.tables.Note
        return await note.objects().get_or_create(note.title == title, defaults={note.views: views})

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        world = self.tables.World
        async with self.engine.transaction():
            found = await world.objects().get(world.id == key)
            await world.update({world.randomnumber: number}).where(world.id == found.id)
            return await self.tables.Note.objects().create(title=title, views=number)

    async def nap(self) -> Any:
        """Fetch the one row of the view that takes its time."""
        nap = self.tables.Nap
        return await nap.objects().get(nap.id == 1)

    def row(self, found: Any) -> Row:
        """Return an article in a form that can be compared."""
        author = getattr(found.author, "id", found.author)
        return Row(found.id, found.title, found.is_published, found.views, found.created, author)

    def labelled_row(self, found: Any) -> tuple[Row, list[str]]:
        """Return an article and its labels' names in a form that can be compared."""
        return Row(*(found[name] for name in Row._fields)), sorted(found["labels"])

    def values_row(self, found: Any) -> tuple[Any, ...]:
        """Return three columns in a form that can be compared."""
        return found["id"], found["title"], found["views"]
