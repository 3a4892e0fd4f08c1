"""What a peer is: how it starts, what each of its requests stands in, and the timed operations."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

from ..cases import Row


class NotAvailable(Exception):
    """The peer, or what was asked of it, is not to be had here; the message says why."""


class Peer:
    """One way to use the tables; a subclass sets it up as its own documentation says.

    An operation that a subclass does not have becomes a dash.

    Args:
        conninfo: the database, as libpq writes it.
        size: how many connections its pool has, open from the start.
    """

    # What it is built on, for the record: distributions whose versions are written down.
    distributions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, conninfo: str, size: int) -> None:
        self.conninfo = conninfo
        self.size = size

    async def start(self) -> None:
        """Open the pool; raise NotAvailable if that cannot be."""

    async def stop(self) -> None:
        """Close the pool."""

    def in_request(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Return what surrounds the few operations of one request."""
        return contextlib.nullcontext()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        self.lacks("get")

    async def newest(self, views: int) -> Sequence[Any]:
        """Fetch the newest published articles that were seen that often."""
        self.lacks("newest")

    async def joined(self, views: int) -> Sequence[Any]:
        """Fetch the same articles and their authors by one statement."""
        self.lacks("joined")

    async def labelled(self, views: int) -> Sequence[Any]:
        """Fetch the same articles and their labels, however many statements that takes."""
        self.lacks("labelled")

    async def four_conditions(self, name: str, views: int, topic: str) -> Sequence[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        self.lacks("four_conditions")

    async def count(self, author: int, views: int) -> int:
        """Count an author's articles that were seen that often."""
        self.lacks("count")

    async def exists(self, author: int, views: int) -> bool:
        """Tell whether there is one."""
        self.lacks("exists")

    async def values_list(self, first: int) -> Sequence[Any]:
        """Fetch three columns of many articles from a key on, without making objects."""
        self.lacks("values_list")

    async def listing(self, length: int) -> Sequence[Any]:
        """Fetch the first articles by primary key."""
        self.lacks("listing")

    async def create(self, title: str, views: int) -> Any:
        """Create a note."""
        self.lacks("create")

    async def update(self, key: int, number: int) -> Any:
        """Change the number of a world without fetching it."""
        self.lacks("update")

    async def delete(self, key: int) -> Any:
        """Delete a draft without fetching it."""
        self.lacks("delete")

    async def bulk_create(self, rows: Sequence[tuple[str, int]]) -> Any:
        """Create many notes."""
        self.lacks("bulk_create")

    async def get_or_create(self, title: str, views: int) -> Any:
        """Fetch the note of a title, or create it with so many views."""
        self.lacks("get_or_create")

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        self.lacks("transaction")

    async def nap(self) -> Any:
        """Fetch the one row of the view that takes its time."""
        self.lacks("nap")

    async def gathered(self, *keys: int) -> list[Any]:
        """Fetch articles by primary key, all at once."""
        return await asyncio.gather(*(self.get(key) for key in keys))

    async def learn(self, queryset: Any) -> None:
        """Run a query whose like is going to be built many times, if that makes a difference."""

    def lacks(self, operation: str, why: str = "it has no such operation") -> NoReturn:
        """Say that there is no such operation, or why it cannot be compared."""
        raise NotAvailable(why)

    def row(self, found: Any) -> Row:
        """Return an article in a form that can be compared."""
        return Row(*(getattr(found, name) for name in Row._fields))

    def joined_row(self, found: Any) -> tuple[Row, str]:
        """Return an article and its author's name in a form that can be compared."""
        return self.row(found), found.author.name

    def labelled_row(self, found: Any) -> tuple[Row, list[str]]:
        """Return an article and its labels' names in a form that can be compared."""
        return self.row(found), sorted(label.name for label in found.labels)

    def values_row(self, found: Any) -> tuple[Any, ...]:
        """Return three columns in a form that can be compared."""
        return tuple(found)
