"""SQLAlchemy's asyncio extension, on asyncpg and on psycopg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..cases import FOUR_LENGTH, LIST_LENGTH, VALUES_LENGTH
from ..database import parts
from .base import Peer


def engine_for(conninfo: str, size: int, driver: str = "asyncpg") -> Any:
    """Return an engine whose pool has this many connections and never more."""
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import create_async_engine

    where = parts(conninfo)
    # A socket's folder cannot stand where a URL has its host.
    query = {"host": str(where["host"])} if "host" in where else {}
    url = URL.create(
        f"postgresql+{driver}",
        username=where.get("user"),
        password=where.get("password"),
        port=int(where["port"]) if "port" in where else None,
        database=where.get("dbname"),
        query=query,
    )
    return create_async_engine(url, pool_size=size, max_overflow=0, pool_timeout=30)


class SqlAlchemy(Peer):
    """A session for each operation: a task of its own must not share one."""

    distributions: ClassVar[tuple[str, ...]] = ("sqlalchemy", "greenlet", "asyncpg")
    driver: ClassVar[str] = "asyncpg"

    async def start(self) -> None:
        """Make the engine, and fill its pool."""
        import sqlalchemy
        from sqlalchemy.ext.asyncio import async_sessionmaker

        from . import sqlalchemy_models

        self.sql: Any = sqlalchemy
        self.models: Any = sqlalchemy_models
        self.engine = engine_for(self.conninfo, self.size, self.driver)
        opened = [await self.engine.connect() for _ in range(self.size)]
        for connection in opened:
            await connection.close()
        # Documented for what needs no transaction: neither BEGIN nor ROLLBACK is sent.
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.session = async_sessionmaker(autocommit, expire_on_commit=False)
        self.atomic = async_sessionmaker(self.engine, expire_on_commit=False)

    async def stop(self) -> None:
        """Close the pool."""
        await self.engine.dispose()

    async def all(self, statement: Any) -> Sequence[Any]:
        """Return the objects that a statement selects."""
        async with self.session() as session:
            found: Sequence[Any] = (await session.scalars(statement)).all()
            return found

    async def one(self, statement: Any) -> Any:
        """Return the one value that a statement selects."""
        async with self.session() as session:
            return (await session.scalars(statement)).one()

    async def run(self, statement: Any) -> Any:
        """Run a statement that changes something."""
        async with self.session() as session:
            done = await session.execute(statement)
            await session.commit()
            return done

    def newest_first(self, views: int) -> Any:
        """Return the statement for the newest published articles that were seen that often."""
        article = self.models.Article
        found = self.sql.select(article).where(article.is_published, article.views >= views)
        return found.order_by(article.id.desc()).limit(LIST_LENGTH)

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        async with self.session() as session:
            return await session.get_one(self.models.Article, key)

    async def newest(self, views: int) -> Sequence[Any]:
        """Fetch the newest published articles that were seen that often."""
        return await self.all(self.newest_first(views))

    async def joined(self, views: int) -> Sequence[Any]:
        """Fetch the same articles and their authors by one statement."""
        from sqlalchemy.orm import joinedload

        author = joinedload(self.models.Article.author, innerjoin=True)
        return await self.all(self.newest_first(views).options(author))

    async def labelled(self, views: int) -> Sequence[Any]:
        """Fetch the same articles, and their labels by a second statement."""
        from sqlalchemy.orm import selectinload

        labels = selectinload(self.models.Article.labels)
        return await self.all(self.newest_first(views).options(labels))

    async def four_conditions(self, name: str, views: int, topic: str) -> Sequence[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        article, author = self.models.Article, self.models.Author
        found = self.sql.select(article).join(article.author)
        found = found.where(
            author.name == name,
            article.is_published,
            article.views >= views,
            article.title.contains(topic),
        )
        return await self.all(found.order_by(article.created.desc()).limit(FOUR_LENGTH))

    async def count(self, author: int, views: int) -> int:
        """Count an author's articles that were seen that often."""
        article = self.models.Article
        counted = self.sql.select(self.sql.func.count()).select_from(article)
        found: int = await self.one(
            counted.where(article.author_id == author, article.views >= views)
        )
        return found

    async def exists(self, author: int, views: int) -> bool:
        """Tell whether there is one."""
        article = self.models.Article
        wanted = self.sql.exists().where(article.author_id == author, article.views >= views)
        found: bool = await self.one(self.sql.select(wanted))
        return found

    async def values_list(self, first: int) -> Sequence[Any]:
        """Fetch three columns of many articles from a key on."""
        article = self.models.Article
        columns = self.sql.select(article.id, article.title, article.views)
        wanted = columns.where(article.id >= first).order_by(article.id).limit(VALUES_LENGTH)
        async with self.session() as session:
            found: Sequence[Any] = (await session.execute(wanted)).all()
            return found

    async def listing(self, length: int) -> Sequence[Any]:
        """Fetch the first articles by primary key."""
        article = self.models.Article
        return await self.all(self.sql.select(article).order_by(article.id).limit(length))

    async def create(self, title: str, views: int) -> Any:
        """Create a note."""
        async with self.session() as session:
            note = self.models.Note(title=title, views=views)
            session.add(note)
            await session.commit()
            return note

    async def update(self, key: int, number: int) -> Any:
        """Change the number of a world without fetching it."""
        world = self.models.World
        changed = self.sql.update(world).where(world.id == key).values(randomnumber=number)
        return await self.run(changed)

    async def delete(self, key: int) -> Any:
        """Delete a draft without fetching it."""
        draft = self.models.Draft
        return await self.run(self.sql.delete(draft).where(draft.id == key))

    async def bulk_create(self, rows: Sequence[tuple[str, int]]) -> Any:
        """Create many notes, by what its documentation calls bulk INSERT, and keep their keys."""
        note = self.models.Note
        wanted = self.sql.insert(note).returning(note.id, sort_by_parameter_order=True)
        async with self.atomic.begin() as session:
            values = [{"title": title, "views": views} for title, views in rows]
            return (await session.scalars(wanted, values)).all()

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        async with self.atomic.begin() as session:
            world = await session.get_one(self.models.World, key)
            world.randomnumber = number
            session.add(self.models.Note(title=title, views=number))

    async def nap(self) -> Any:
        """Fetch the one row of the view that takes its time."""
        async with self.session() as session:
            return await session.get_one(self.models.Nap, 1)


class SqlAlchemyPsycopg(SqlAlchemy):
    """The same on psycopg's asynchronous connections."""

    distributions = ("sqlalchemy", "greenlet", "psycopg")
    driver = "psycopg"
