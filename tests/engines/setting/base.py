"""An engine that sets something for the session while it connects, and only then.

``manner`` is the name of the cursor's method by which it sets its setting.
"""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    manner = "execute"

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 43000")
            values = ("mine",) if self.manner == "execute" else [("mine",)]
            setting = "SELECT set_config('turbo.of_engine', %s, false)"
            getattr(cursor, self.manner)(setting, values)
        return connection
