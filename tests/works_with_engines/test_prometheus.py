"""django-prometheus's engine counts in the bridge what it counts in plain Django."""

import pytest
from django.db import DatabaseError, connection, transaction
from prometheus_client import REGISTRY

from turbo_orm import atomic, run_sync

from .prometheus.models import Item

LABELS = {"alias": "default", "vendor": "postgresql"}
COUNTED = {
    "executed": ("django_db_execute_total", LABELS),
    "many": ("django_db_execute_many_total", LABELS),
    "failed": ("django_db_errors_total", {**LABELS, "type": "DivisionByZero"}),
    "timed": ("django_db_query_duration_seconds_count", LABELS),
}
CONNECTIONS = "django_db_new_connections_total"


def counts():
    return {name: REGISTRY.get_sample_value(*of) or 0 for name, of in COUNTED.items()}


def work():
    """Return what is counted while some statements are executed."""
    connection.ensure_connection()
    Item.objects.count()
    before = counts()
    with transaction.atomic():
        Item.objects.create(name="x")
        with connection.cursor() as cursor:
            cursor.executemany("SELECT %s", [(1,), (2,)])
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert list(Item.objects.iterator())
    Item.objects.all().delete()
    return {name: value - before[name] for name, value in counts().items()}


def test_statements_and_errors_are_counted_in_the_bridge(on_loop):
    plain = work()

    assert (plain["executed"], plain["many"], plain["failed"]) == (5, 2, 1)
    assert on_loop(run_sync(work)) == plain


def test_awaited_queries_and_their_connection_are_counted(on_loop):
    connections = REGISTRY.get_sample_value(CONNECTIONS, LABELS)

    async def main():
        await Item.objects.acount()
        before = counts()["executed"]
        for _ in range(4):
            await Item.objects.alist()
        async with atomic():
            await Item.objects.acreate(name="x")
        return counts()["executed"] - before

    assert on_loop(main()) == 5
    # The pool opens as many as are needed at once.
    assert REGISTRY.get_sample_value(CONNECTIONS, LABELS) - connections == 1
