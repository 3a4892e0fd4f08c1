"""An engine that connects by itself, without its ``Database``."""

from types import SimpleNamespace

from django.db.backends.postgresql import base

CONNECTION = SimpleNamespace()


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        return CONNECTION
