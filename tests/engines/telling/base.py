"""An engine whose cursors first tell the session something, as those of django-tenants do."""

from django.db.backends.postgresql import base

# Called, by alias, while a cursor is being prepared.
meanwhile = {}
MAKERS = ("ensure_connection", "cursor", "chunked_cursor", "_cursor", "create_cursor")
# The method that tells, by alias.
telling = {}


class DatabaseWrapper(base.DatabaseWrapper):
    pass


def _telling(name):
    def method(self, *args, **kwargs):
        result = getattr(super(DatabaseWrapper, self), name)(*args, **kwargs)
        if telling.get(self.alias, "_cursor") == name and self.connection is not None:
            with self.connection.cursor() as first:
                first.execute("SET application_name = 'told'")
            meanwhile.get(self.alias, int)()
        return result

    return method


for maker in MAKERS:
    setattr(DatabaseWrapper, maker, _telling(maker))
