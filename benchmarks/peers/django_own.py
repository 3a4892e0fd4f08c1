"""Django's own `a*` methods, with Django's own pool."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from .base import NotAvailable
from .django_queries import DjangoQueries
from .django_settings import configure, fixed_pool


class DjangoOwn(DjangoQueries):
    """Plain managers, without this package in INSTALLED_APPS."""

    distributions = ("django", "asgiref", "psycopg", "psycopg-pool")

    async def start(self) -> None:
        """Set Django up."""
        import django

        if django.VERSION < (5, 1):
            raise NotAvailable("Django has a pool since 5.1")
        configure(self.conninfo, manager="django.db.models.Manager", pool=fixed_pool(self.size))
        self.load_models()

    async def stop(self) -> None:
        """Close the pool."""
        from django.db import connections

        wrapper: Any = connections["default"]
        wrapper.close_pool()

    @contextlib.asynccontextmanager
    async def in_request(self) -> AsyncIterator[None]:
        """Give the request a thread of its own, as Django's ASGI handler does.

        Its connection goes back to the pool when it ends, as by `request_finished`.
        """
        from django.db import close_old_connections

        async with ThreadSensitiveContext():
            try:
                yield
            finally:
                await sync_to_async(close_old_connections)()

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Write it as a synchronous function, as Django's documentation says."""
        return await sync_to_async(self.in_thread)(key, number, title)

    def in_thread(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        from django.db import transaction

        with transaction.atomic():
            world = self.worlds.get(pk=key)
            self.worlds.filter(pk=world.pk).update(randomnumber=number)
            return self.notes.create(title=title, views=number)

    def compiler(self) -> Callable[[Any], Any]:
        """Return what makes a queryset into SQL and parameters, as Django does each time."""
        return lambda queryset: queryset.query.get_compiler("default").as_sql()
