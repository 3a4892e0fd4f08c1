"""Tell or forbid what leaves the event loop: thread hops, and queries outside the bridge."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from .threads import watched_by


@dataclasses.dataclass(eq=False)
class Hops:
    """What left the event loop.

    Args:
        threads: the functions that were sent to threads, in that order.
        queries: the statements that were executed on the event loop, but outside the bridge.
        strict: whether the library's own threads count too.
    """

    threads: list[str] = dataclasses.field(default_factory=list)
    queries: list[str] = dataclasses.field(default_factory=list)
    strict: bool = False

    @property
    def count(self) -> int:
        """How many there were altogether."""
        return len(self.threads) + len(self.queries)

    def note_thread(self, function: str, *, exempt: bool) -> None:
        """Note that a function is being sent to a thread.

        Args:
            function: its dotted path.
            exempt: whether the library itself sends it, or asyncio for it.
        """
        if self.strict or not exempt:
            self.threads.append(function)

    def note_query(self, sql: str) -> None:
        """Note that a statement is being executed outside the bridge.

        Args:
            sql: the statement.
        """
        self.queries.append(sql)


class NoHops(Hops):
    """Fails at the first."""

    def note_thread(self, function: str, *, exempt: bool) -> None:
        """Refuse to send a function to a thread; see ``Hops``."""
        super().note_thread(function, exempt=exempt)
        self.check()

    def note_query(self, sql: str) -> None:
        """Refuse to execute a statement; see ``Hops``."""
        super().note_query(sql)
        self.check()

    def check(self) -> None:
        """Fail if anything left the event loop."""
        if self.threads:
            raise AssertionError(f"{self.threads[0]} was sent to a thread")
        if self.queries:
            raise AssertionError(f"executed outside the bridge: {self.queries[0]}")


@contextlib.contextmanager
def hops(*, strict: bool = False) -> Iterator[Hops]:
    """Record what leaves the event loop while the block runs.

    Args:
        strict: count what the library sends to its own threads (password hashes, ``await_thread``)
            and asyncio for it (the name of the server) as well.

    Returns:
        A context manager; its object has ``threads``, ``queries`` and ``count``.

    What a test case keeps on the loop, since a thread would have a connection of its own, counts:
    outside of tests it goes to a thread.
    """
    found = Hops(strict=strict)
    with watched_by(found):
        yield found


@contextlib.contextmanager
def no_threads(*, strict: bool = False) -> Iterator[None]:
    """Fail at the first thing that leaves the event loop, and at the end if that was swallowed.

    Args:
        strict: as in ``hops``.

    Raises:
        AssertionError: names the function or the statement.
    """
    guard = NoHops(strict=strict)
    with watched_by(guard):
        yield
    guard.check()
