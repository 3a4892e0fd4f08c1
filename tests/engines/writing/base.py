"""An engine with a ``__setattr__`` of its own: names of tenants are kept in lower case."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    tenant = "nobody"

    def __setattr__(self, name, value):
        super().__setattr__(name, value.lower() if name == "tenant" else value)
