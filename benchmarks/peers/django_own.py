"""Django's own `a*` methods, with Django's own pool."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from ..cases import FOUR_LENGTH, LIST_LENGTH
from .base import NotAvailable, Peer
from .django_settings import configure, fixed_pool


class DjangoOwn(Peer):
    """Plain managers, without this package in INSTALLED_APPS."""

    distributions = ("django", "asgiref", "psycopg", "psycopg-pool")

    async def start(self) -> None:
        """Set Django up."""
        import django

        if django.VERSION < (5, 1):
            raise NotAvailable("Django has a pool since 5.1")
        configure(self.conninfo, manager="django.db.models.Manager", pool=fixed_pool(self.size))
        from ..newsdesk.models import Article

        self.articles = Article.objects

    async def stop(self) -> None:
        """Close the pool."""
        from django.db import connections

        wrapper: Any = connections["default"]
        wrapper.close_pool()

    @contextlib.asynccontextmanager
    async def in_task(self) -> AsyncIterator[None]:
        """Give the task a thread of its own, as Django's ASGI handler gives each request one.

        The thread and its connection serve all operations of the task: a request that makes only
        a few would pay for both each time.
        """
        from django.db import close_old_connections

        async with ThreadSensitiveContext():
            try:
                yield
            finally:
                await sync_to_async(close_old_connections)()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return await self.articles.aget(pk=key)

    async def newest(self, views: int) -> list[Any]:
        """Fetch the newest published articles that were seen that often."""
        found = self.articles.filter(is_published=True, views__gte=views).order_by("-id")
        return [article async for article in found[:LIST_LENGTH]]

    async def four_conditions(self, name: str, views: int, topic: str) -> list[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        found = self.articles.filter(
            author__name=name, is_published=True, views__gte=views, title__contains=topic
        ).order_by("-created")
        return [article async for article in found[:FOUR_LENGTH]]

    def compiler(self) -> Callable[[Any], Any]:
        """Return what makes a queryset into SQL and parameters, as Django does each time."""
        return lambda queryset: queryset.query.get_compiler("default").as_sql()
