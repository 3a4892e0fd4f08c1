"""An engine that sets something for the session while it connects, and only then."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 43000")
        return connection
