"""What the fields of one GraphQL operation share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from turbo_orm import ConnectionLimit

from .pending import Pending
from .waiting import Loads, Turns

_current: ContextVar[Operation | None] = ContextVar("turbo_orm_strawberry_operation", default=None)


class Operation:
    """One execution of a GraphQL document, or of one event of a subscription."""

    __slots__ = ("limit", "loads", "pending", "permissions")

    def __init__(self, limit: ConnectionLimit | None) -> None:
        self.limit = limit
        self.pending = Pending()
        # A user's permissions are asked for by one field and kept for the others.
        self.permissions = Turns()
        self.loads = Loads()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Let the code of the block belong to the operation."""
        token = _current.set(self)
        try:
            if self.limit is None:
                yield
            else:
                with self.limit.apply():
                    yield
        finally:
            _current.reset(token)


def current_operation() -> Operation | None:
    """Return the operation that this code runs for, None outside a resolver."""
    return _current.get()
