"""The tenants, their schemas and what is in them."""

from django.db import connection

from tests.works_with_engines.tenants_items.models import Item

from .models import Client, Domain

TENANTS = [f"tenant{number}" for number in range(8)]
ITEMS = 3


def make_tables():
    """Make the tables of the public schema, and a schema with items for each tenant."""
    with connection.schema_editor() as editor:
        editor.create_model(Client)
        editor.create_model(Domain)
    for name in TENANTS:
        client = Client.objects.create(schema_name=name)
        Domain.objects.create(tenant=client, domain=f"{name}.test", is_primary=True)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {name}")
        connection.set_schema(name, include_public=False)
        with connection.schema_editor() as editor:
            editor.create_model(Item)
        for number in range(ITEMS):
            Item.objects.create(owner=name, number=number)
        connection.set_schema_to_public()
