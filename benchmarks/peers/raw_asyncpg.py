"""asyncpg and its pool, without an ORM."""

from __future__ import annotations

from typing import Any

from ..database import parts
from . import raw_sql
from .raw import Raw


class RawAsyncpg(Raw):
    """asyncpg's pool; it keeps prepared statements by itself."""

    distributions = ("asyncpg",)

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

    async def stop(self) -> None:
        """Close the pool."""
        await self.pool.close()

    async def fetch(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement on a connection of the pool, and return its rows."""
        found: list[Any] = await self.pool.fetch(sql, *parameters)
        return found

    async def run(self, sql: str, *parameters: Any) -> Any:
        """Run one statement that returns no rows."""
        return await self.pool.execute(sql, *parameters)

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        async with self.pool.acquire() as connection, connection.transaction():
            world = await connection.fetchrow(raw_sql.WORLD, key)
            await connection.execute(raw_sql.UPDATE, number, world["id"])
            return await connection.fetch(raw_sql.CREATE, title, number)
