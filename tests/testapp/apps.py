"""The application whose models the tests use."""

from django.apps import AppConfig
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
