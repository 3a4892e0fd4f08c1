"""What a test may ask of which database, and the one transaction in which it does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.db import DatabaseError, connections, transaction

from ..connection.content_types import remember_content_types
from ..connection.engine import is_postgresql
from ..leases.shared import is_shared, share, unshare
from ..pool import admit_pool, refuse_pool
from .threads import kept_on_loop


def in_test_transaction(alias: str) -> bool:
    """Tell whether this thread's connection is in the transaction of a test case of Django's."""
    blocks: Any = connections[alias].atomic_blocks
    return bool(blocks) and blocks[0]._from_testcase


def share_all(aliases: Iterable[str]) -> list[str]:
    """Let the event loop use the transactions of these databases; return which it did not yet."""
    fresh = [alias for alias in aliases if is_postgresql(alias) and not is_shared(alias)]
    for alias in fresh:
        _remember_content_types(alias)
        share(alias)
    return fresh


def _remember_content_types(alias: str) -> None:
    """Do what the pool does when it opens; this database may have no such table."""
    with contextlib.suppress(DatabaseError), transaction.atomic(using=alias):
        remember_content_types(alias)


def unshare_all(aliases: Iterable[str]) -> None:
    """Give the connections of these databases back to their thread alone."""
    for alias in aliases:
        unshare(alias)


@contextlib.contextmanager
def shared_transactions(aliases: Iterable[str] | None = None) -> Iterator[None]:
    """Let all that runs on an event loop use this thread's connections and their transactions.

    Args:
        aliases: databases that are in a transaction of a test case; all such if None.
    """
    chosen = [alias for alias in connections if in_test_transaction(alias)]
    fresh = share_all(chosen if aliases is None else aliases)
    try:
        # A thread would have a connection of its own.
        with kept_on_loop():
            yield
    finally:
        unshare_all(fresh)


@contextlib.contextmanager
def refused(aliases: Iterable[str], message: str, kind: type[BaseException]) -> Iterator[None]:
    """Let no connection of these databases be lent to the event loop.

    Args:
        aliases: the databases.
        message: what the error says; ``{alias!r}`` in it is the database's alias.
        kind: the class of the error.
    """
    chosen = list(aliases)
    for alias in chosen:
        refuse_pool(alias, partial(kind, message.format(alias=alias)))
    try:
        yield
    finally:
        for alias in chosen:
            admit_pool(alias)
