"""psycopg and its pool, without an ORM."""

from __future__ import annotations

import functools
import re
from typing import Any

from . import raw_sql
from .raw import Raw


@functools.cache
def named(sql: str) -> str:
    """Return the statement with psycopg's placeholders."""
    return re.sub(r"\$(\d)", r"%(p\1)s", sql)


@functools.cache
def names(number: int) -> tuple[str, ...]:
    """Return the names of so many parameters."""
    return tuple(f"p{index}" for index in range(1, number + 1))


class RawPsycopg(Raw):
    """psycopg's pool; statements are prepared after five executions, as is its default."""

    distributions = ("psycopg", "psycopg-pool")

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
        """Run one statement on a connection of the pool, and return its rows."""
        async with self.pool.connection() as connection:
            cursor = await self.execute(connection, sql, *parameters)
            return await cursor.fetchall()

    async def run(self, sql: str, *parameters: Any) -> Any:
        """Run one statement that returns no rows."""
        async with self.pool.connection() as connection:
            return await self.execute(connection, sql, *parameters)

    async def execute(self, connection: Any, sql: str, *parameters: Any) -> Any:
        """Run one statement on a connection."""
        given = dict(zip(names(len(parameters)), parameters, strict=True))
        return await connection.execute(named(sql), given)

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        async with self.pool.connection() as connection, connection.transaction():
            cursor = await self.execute(connection, raw_sql.WORLD, key)
            ((world, _),) = await cursor.fetchall()
            await self.execute(connection, raw_sql.UPDATE, number, world)
            cursor = await self.execute(connection, raw_sql.CREATE, title, number)
            return await cursor.fetchall()
