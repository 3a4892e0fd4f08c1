"""Which cursor class Django's settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg


def take_cursor_factory(
    parameters: dict[str, Any], options: Mapping[str, Any]
) -> type[psycopg.Cursor[Any]]:
    """Remove the cursor class from connection parameters and return it.

    Args:
        parameters: what the engine's ``get_connection_params`` returned.
        options: ``DATABASES[alias]["OPTIONS"]``.

    Returns:
        A synchronous class. Django 4.2.0 names none among the parameters, and django-async-backend
        an asynchronous one: then it is Django's own for these options.
    """
    factory: Any = parameters.pop("cursor_factory", None)
    if factory is None or not issubclass(factory, psycopg.Cursor):
        from django.db.backends.postgresql.base import Cursor, ServerBindingCursor

        factory = ServerBindingCursor if options.get("server_side_binding") is True else Cursor
    chosen: type[psycopg.Cursor[Any]] = factory
    return chosen
