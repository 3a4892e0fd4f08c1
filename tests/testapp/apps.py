"""The application whose models the tests use."""

from django.apps import AppConfig
from django.contrib.postgres.signals import (
    get_citext_oids,
    get_hstore_oids,
    register_type_handlers,
)
from django.db import connections
from django.db.models.signals import pre_migrate


class TestAppConfig(AppConfig):
    name = "tests.testapp"
    label = "testapp"

    def ready(self) -> None:
        pre_migrate.connect(create_extensions, sender=self)


def create_extensions(using: str, **kwargs: object) -> None:
    """Create the types that contrib.postgres has fields for."""
    with connections[using].cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS hstore")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS citext")
    # Asked for before the types existed, as Django's own operations assume too.
    get_hstore_oids.cache_clear()
    get_citext_oids.cache_clear()
    # The first tests may go on with this very connection.
    register_type_handlers(connections[using])
