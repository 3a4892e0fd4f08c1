"""An engine that asks for types and registers adapters while it connects, as PostGIS does.

Its cursors are of a class of its own, which it puts in place afterwards.
"""

from django.db.backends.postgresql import base
from psycopg import adapt
from psycopg.types import TypeInfo


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class PointDumper(adapt.Dumper):
    def dump(self, obj):
        return f"({obj.x},{obj.y})".encode()


class Cursor(base.Cursor):
    pass


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        info = TypeInfo.fetch(connection, "point")
        dumper = type("OfPoint", (PointDumper,), {"oid": info.oid})
        connection.adapters.register_dumper(Point, dumper)
        connection.cursor_factory = Cursor
        return connection
