"""The rows, and numbers for the tags that are made beside them."""

from __future__ import annotations


def fill() -> None:
    """Put tags on the articles, and let the next one have a number that is free."""
    from django.core.management.color import no_style
    from django.db import connection

    from benchmarks.ninjas import models

    models.fill()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [models.Tag]):
            cursor.execute(statement)
