"""An engine that does something each time before a cursor is made, and nothing else."""

from django.db.backends.postgresql import base

# How often, by alias.
times = {}


class DatabaseWrapper(base.DatabaseWrapper):
    def ensure_connection(self):
        super().ensure_connection()
        times[self.alias] = times.get(self.alias, 0) + 1
