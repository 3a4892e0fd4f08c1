"""A driver alone, with its own pool: no ORM on it can be faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..cases import Row
from . import raw_sql
from .base import Peer


class Raw(Peer):
    """The operations by SQL; a subclass knows a driver."""

    async def fetch(self, sql: str, *parameters: Any) -> list[Any]:
        """Run one statement on a connection of the pool, and return its rows."""
        raise NotImplementedError

    async def run(self, sql: str, *parameters: Any) -> Any:
        """Run one statement that returns no rows."""
        raise NotImplementedError

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return (await self.fetch(raw_sql.GET, key))[0]

    async def newest(self, views: int) -> list[Any]:
        """Fetch the newest published articles that were seen that often."""
        return await self.fetch(raw_sql.NEWEST_ARTICLES, views)

    async def joined(self, views: int) -> list[Any]:
        """Fetch the same articles and their authors by one statement."""
        return await self.fetch(raw_sql.JOINED, views)

    async def labelled(self, views: int) -> list[Any]:
        """Fetch the same articles, and their labels by a second statement."""
        found = await self.fetch(raw_sql.NEWEST_ARTICLES, views)
        names: dict[int, list[str]] = {article[0]: [] for article in found}
        for key, name in await self.fetch(raw_sql.LABELS, list(names)):
            names[key].append(name)
        return [(article, names[article[0]]) for article in found]

    async def four_conditions(self, name: str, views: int, topic: str) -> list[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        return await self.fetch(raw_sql.FOUR_CONDITIONS, name, views, f"%{topic}%")

    async def count(self, author: int, views: int) -> int:
        """Count an author's articles that were seen that often."""
        found: int = (await self.fetch(raw_sql.COUNT, author, views))[0][0]
        return found

    async def exists(self, author: int, views: int) -> bool:
        """Tell whether there is one."""
        found: bool = (await self.fetch(raw_sql.EXISTS, author, views))[0][0]
        return found

    async def values_list(self, first: int) -> list[Any]:
        """Fetch three columns of many articles from a key on."""
        return await self.fetch(raw_sql.VALUES, first)

    async def listing(self, length: int) -> list[Any]:
        """Fetch the first articles by primary key."""
        return await self.fetch(raw_sql.LISTING, length)

    async def create(self, title: str, views: int) -> Any:
        """Create a note."""
        return await self.fetch(raw_sql.CREATE, title, views)

    async def update(self, key: int, number: int) -> Any:
        """Change the number of a world without fetching it."""
        return await self.run(raw_sql.UPDATE, number, key)

    async def delete(self, key: int) -> Any:
        """Delete a draft without fetching it."""
        return await self.run(raw_sql.DELETE, key)

    async def bulk_create(self, rows: Sequence[tuple[str, int]]) -> Any:
        """Create many notes by one statement."""
        titles, views = zip(*rows, strict=True)
        return await self.fetch(raw_sql.BULK, list(titles), list(views))

    async def get_or_create(self, title: str, views: int) -> Any:
        """Fetch the note of a title, or create it with so many views."""
        for sql, given in (
            (raw_sql.GET_NOTE, (title,)),
            (raw_sql.CREATE_NOTE, (title, views)),
            # Somebody else was quicker.
            (raw_sql.GET_NOTE, (title,)),
        ):
            if found := await self.fetch(sql, *given):
                return found[0]
        return None

    async def nap(self) -> Any:
        """Fetch the one row of the view that takes its time."""
        return await self.fetch(raw_sql.NAP, 1)

    def row(self, found: Any) -> Row:
        """Return an article in a form that can be compared."""
        return Row(*found)

    def joined_row(self, found: Any) -> tuple[Row, str]:
        """Return an article and its author's name in a form that can be compared."""
        *article, name = found
        return Row(*article), name

    def labelled_row(self, found: Any) -> tuple[Row, list[str]]:
        """Return an article and its labels' names in a form that can be compared."""
        article, names = found
        return Row(*article), sorted(names)
