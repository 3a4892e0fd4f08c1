"""What a peer is: how it starts, what each of its tasks stands in, and the timed operations."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, ClassVar

from ..cases import Row


class NotAvailable(Exception):
    """The peer, or what was asked of it, is not to be had here; the message says why."""


class Peer:
    """One way to read the tables; a subclass sets it up as its own documentation says.

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

    def in_task(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Return what surrounds all operations of one task, as a request would."""
        return contextlib.nullcontext()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        raise NotImplementedError

    async def newest(self, views: int) -> Sequence[Any]:
        """Fetch the newest published articles that were seen that often."""
        raise NotImplementedError

    async def four_conditions(self, name: str, views: int, topic: str) -> Sequence[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        raise NotImplementedError

    async def learn(self, queryset: Any) -> None:
        """Run a query whose like is going to be built many times, if that makes a difference."""

    def row(self, found: Any) -> Row:
        """Return what was fetched in a form that can be compared."""
        return Row(*(getattr(found, name) for name in Row._fields))
