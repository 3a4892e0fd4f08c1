"""An engine that keeps something on its wrapper: each cursor first tells the session of it."""

import functools

from django.db.backends.postgresql import base


class Helper:
    """Works for one wrapper, as an engine's `introspection` does."""

    def __init__(self, connection):
        self.connection = connection


class DatabaseWrapper(base.DatabaseWrapper):
    tenant = "nobody"

    def __init__(self, *args, **kwargs):
        self.visited = []
        super().__init__(*args, **kwargs)
        self.level = 0

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        self.session = connection.info.backend_pid
        return connection

    def enter(self, tenant):
        self.tenant = tenant
        self.level += 1
        self.visited.append(tenant)

    @property
    def owner(self):
        return self.tenant

    @owner.setter
    def owner(self, tenant):
        self.enter(tenant)

    @functools.cached_property
    def label(self):
        return f"label of {self.tenant}"

    @functools.cached_property
    def helper(self):
        return Helper(self)

    def _cursor(self, name=None):
        cursor = super()._cursor(name)
        with self.connection.cursor() as first:
            first.execute(f"SET application_name = '{self.tenant}'")
        return cursor
