"""Cursors that the server keeps open, whoever drops them and wherever."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from ..bridge import deliver_cancellation
from .facade import BridgedConnection
from .watched import watched

if TYPE_CHECKING:
    import psycopg

    Base = psycopg.ServerCursor[Any]
else:
    Base = object


class NamedCursor(Base):
    """Mixed into the class of a named cursor by ``closed_anywhere``."""

    __slots__ = ()

    def close(self) -> None:
        """Close the cursor if its connection may be used here; else whoever lends that does.

        A generator that nobody has read to its end closes its cursor when it is collected: at any
        time, also where nothing can wait for the server, and where an error reaches nobody.

        Mirrors ``psycopg.ServerCursor.close``.
        """
        connection: Any = self.connection
        if self.closed:
            return
        if connection.closed:
            super().close()
        elif connection.may_be_used():
            with connection.shielded() as outermost:
                super().close()
            # An error reaches nobody where a generator is collected or closed.
            if outermost and sys.exc_info()[0] is not GeneratorExit:
                deliver_cancellation()


def closed_anywhere(cursor: Any) -> Any:
    """Let a named cursor be closed outside the bridge too.

    Args:
        cursor: a ``psycopg.ServerCursor``; those of psycopg's own connections stay as they are.

    Returns:
        The same cursor.
    """
    if isinstance(cursor.connection, BridgedConnection):
        kind: Any = type(cursor)
        cursor.__class__ = _class_of(kind)
    return cursor


@functools.lru_cache(maxsize=16)
def _class_of(kind: Any) -> Any:
    return type(kind.__name__, (NamedCursor, watched(kind)), {"__slots__": ()})
