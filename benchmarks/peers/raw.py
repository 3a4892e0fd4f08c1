"""The drivers alone, with their own pools: tuples and no model; no ORM can be faster."""

from __future__ import annotations

from typing import Any

from ..cases import FOUR_LENGTH, LIST_LENGTH, Row
from ..database import parts
from .base import Peer

COLUMNS = ", ".join(f"a.{name}" for name in Row._fields)
GET = f"SELECT {COLUMNS} FROM newsdesk_article a WHERE a.id = {{}}"
NEWEST = (
    f"SELECT {COLUMNS} FROM newsdesk_article a WHERE a.is_published AND a.views >= {{}}"
    f" ORDER BY a.id DESC LIMIT {LIST_LENGTH}"
)
FOUR_CONDITIONS = (
    f"SELECT {COLUMNS} FROM newsdesk_article a JOIN newsdesk_author w ON w.id = a.author_id"
    " WHERE w.name = {} AND a.is_published AND a.views >= {} AND a.title LIKE {}"
    f" ORDER BY a.created DESC LIMIT {FOUR_LENGTH}"
)


class RawPsycopg(Peer):
    """psycopg's pool; statements are prepared after five executions, as is its default."""

    distributions = ("psycopg", "psycopg-pool")
    get_sql = GET.format("%s")
    newest_sql = NEWEST.format("%s")
    four_sql = FOUR_CONDITIONS.format("%s", "%s", "%s")

    async def start(self) -> None:
        """Open the pool."""
        from psycopg_pool import AsyncConnectionPool

        self.pool = AsyncConnectionPool(
            self.conninfo,
            kwargs={"autocommit": True},
            min_size=self.size,
            max_size=self.size,
            open=False,
        )
        await self.pool.open(wait=True)

    async def stop(self) -> None:
        """Close the pool."""
        await self.pool.close()

    async def fetch(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement on a connection of the pool."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(sql, parameters)
            return await cursor.fetchall()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return (await self.fetch(self.get_sql, key))[0]

    async def newest(self, views: int) -> list[Any]:
        """Fetch the newest published articles that were seen that often."""
        return await self.fetch(self.newest_sql, views)

    async def four_conditions(self, name: str, views: int, topic: str) -> list[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        return await self.fetch(self.four_sql, name, views, f"%{topic}%")

    def row(self, found: Any) -> Row:
        """Return what was fetched in a form that can be compared."""
        return Row(*found)


class RawAsyncpg(RawPsycopg):
    """asyncpg's pool; it keeps prepared statements by itself."""

    distributions = ("asyncpg",)
    get_sql = GET.format("$1")
    newest_sql = NEWEST.format("$1")
    four_sql = FOUR_CONDITIONS.format("$1", "$2", "$3")

    async def start(self) -> None:
        """Open the pool."""
        import asyncpg

        where = parts(self.conninfo)
        self.pool: Any = await asyncpg.create_pool(
            host=where.get("host"),
            port=where.get("port", 5432),
            user=where.get("user"),
            password=where.get("password"),
            database=where.get("dbname"),
            min_size=self.size,
            max_size=self.size,
        )

    async def fetch(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement on a connection of the pool."""
        return await self.pool.fetch(sql, *parameters)
