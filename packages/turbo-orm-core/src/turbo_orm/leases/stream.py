"""A stream of rows that holds its connection only while it is open."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db.utils import Error

from ..bridge import current_job, run_sync
from ..connection.engine import take_wrapper
from ..connection.kept import Kept
from ..connection.wrapper import BridgedWrapper
from .decision import Standing
from .holds import stand
from .lending import may_borrow, resolve
from .scope import scope_of, swapped

T = TypeVar("T")


class Stream(Generic[T]):
    """Chunks of a synchronous iterator over the database, each fetched in the bridge.

    Outside a transaction the stream keeps a connection from the first chunk to the last, which the
    body of its loop uses too; inside one it takes its turn on the transaction's.
    """

    def __init__(
        self, alias: str, make_iterator: Callable[[], Iterator[T]], chunk_size: int
    ) -> None:
        self._alias = alias
        self._make_iterator = make_iterator
        self._chunk_size = chunk_size
        self._iterator: Iterator[T] | None = None
        self._wrapper: BridgedWrapper | None = None
        self._open = True

    async def chunk(self) -> list[T]:
        """Return the next rows; fewer than the chunk size if they are the last."""
        return await run_sync(self._chunk) if self._open else []

    async def close(self) -> None:
        """Close the server's cursor and give the connection back; safe to call again."""
        if self._open:
            await run_sync(self._close)

    def _chunk(self) -> list[T]:
        self._take_turn()
        with self._leased():
            finished = True
            self._begin_reading()
            try:
                if self._iterator is None:
                    self._iterator = self._make_iterator()
                rows = list(islice(self._iterator, self._chunk_size))
                finished = len(rows) < self._chunk_size
                if not finished:
                    self._end_reading()
                return rows
            finally:
                if finished:
                    self._finish()

    def _take_turn(self) -> None:
        """Wait for the turn in a block of the body: savepoints of its tasks may have failed."""
        job, wrapper = current_job(), self._wrapper
        if job is None or wrapper is None or wrapper.connection is None:
            return
        found, hold = stand(self._alias)
        if found is not Standing.INSIDE or hold is None:
            return
        if hold.transaction.wrapper.connection is wrapper.connection:
            resolve(job, self._alias)

    def _begin_reading(self) -> None:
        wrapper = self._wrapper
        if wrapper is not None and isinstance(wrapper._lender, Kept):
            wrapper._lender.begin_reading(wrapper)

    def _end_reading(self) -> None:
        """Let the body of the loop use the connection."""
        wrapper = self._wrapper
        kept = None if wrapper is None else Kept.of(wrapper)
        if wrapper is not None and kept is not None:
            kept.end_reading(wrapper)

    def _close(self) -> None:
        # The transaction may have ended before the stream: then the cursor is gone already.
        with contextlib.suppress(Error), self._leased():
            self._finish()

    @contextlib.contextmanager
    def _leased(self) -> Iterator[None]:
        """Make the stream's wrapper that of the running job."""
        job = current_job()
        if job is None:
            # In the thread of a caller, on its own connection.
            yield
            return
        scope = scope_of(job)
        if self._wrapper is None and not may_borrow(self._alias):
            resolve(job, self._alias)
            yield
            return
        if self._wrapper is None:
            held = scope.wrappers.get(self._alias)
            if held is not None and held.connection is not None and held.clean:
                # Jobs that hold a connection and wait for another one can block each other.
                held.hand_back()
            self._wrapper = take_wrapper(self._alias)
        with swapped(scope, self._wrapper):
            yield

    def _finish(self) -> None:
        self._open = False
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                close()
        finally:
            self._iterator = None
            wrapper, self._wrapper = self._wrapper, None
            if wrapper is not None:
                wrapper.finish()


async def stream_rows(
    alias: str, make_iterator: Callable[[], Iterator[Any]], chunk_size: int
) -> AsyncGenerator[Any, None]:
    """Yield the rows of a synchronous iterator over the database, chunk by chunk."""
    stream: Stream[Any] = Stream(alias, make_iterator, chunk_size)
    try:
        while rows := await stream.chunk():
            for row in rows:
                yield row
    finally:
        await stream.close()
