"""An engine of a project's own, which has a word to say whenever a cursor is made."""

from typing import Any

from django.db.backends.postgresql import base

made: list[str] = []


class DatabaseWrapper(base.DatabaseWrapper):
    def make_cursor(self, cursor: Any) -> Any:
        made.append(self.alias)
        return super().make_cursor(cursor)
