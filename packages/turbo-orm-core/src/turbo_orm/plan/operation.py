"""Name what a plan was used for, in messages."""

from __future__ import annotations

from typing import Any, NamedTuple


class Operation(NamedTuple):
    """One use of a plan, or the making of one.

    Args:
        method: what was called.
        model: the model class.
        alias: the database.
        sql: the statement, if there is one by then.
    """

    method: str
    model: Any
    alias: str
    sql: str | None = None

    def __str__(self) -> str:
        named = f"{self.method} of {self.model._meta.label} on database {self.alias!r}"
        return named if self.sql is None else f"{named} ({self.sql})"
