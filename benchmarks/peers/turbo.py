"""Turbo ORM, with its plans and without them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ..cases import FOUR_LENGTH, LIST_LENGTH
from .base import NotAvailable, Peer
from .django_settings import configure, fixed_pool


class Turbo(Peer):
    """Turbo ORM as it comes."""

    distributions = ("turbo-orm-core", "django", "psycopg", "psycopg-pool", "greenlet")
    plans: ClassVar[str | None] = "on"

    async def start(self) -> None:
        """Set Django up with this package, and open its pool."""
        from turbo_orm.conf import KNOWN_KEYS

        turbo: dict[str, Any] = {"POOL": {"default": fixed_pool(self.size)}}
        if "PLANS" in KNOWN_KEYS:
            turbo["PLANS"] = self.plans
        elif self.plans == "off":
            raise NotAvailable("this version has no plans that could be off")
        configure(
            self.conninfo, manager="turbo_orm.AsyncManager", apps=("turbo_orm",), TURBO_ORM=turbo
        )
        from ..newsdesk.models import Article

        self.articles: Any = Article.objects

    async def stop(self) -> None:
        """Close the pool."""
        from turbo_orm import close_pools

        await close_pools()

    async def get(self, key: int) -> Any:
        """Fetch one article by primary key."""
        return await self.articles.aget(pk=key)

    async def newest(self, views: int) -> Sequence[Any]:
        """Fetch the newest published articles that were seen that often."""
        found = self.articles.filter(is_published=True, views__gte=views).order_by("-id")
        return await found[:LIST_LENGTH].alist()

    async def four_conditions(self, name: str, views: int, topic: str) -> Sequence[Any]:
        """Fetch an author's newest published articles on a topic that were seen that often."""
        found = self.articles.filter(
            author__name=name, is_published=True, views__gte=views, title__contains=topic
        ).order_by("-created")
        return await found[:FOUR_LENGTH].alist()

    async def learn(self, queryset: Any) -> None:
        """Run a query, so that there is a plan for its like."""
        await queryset.alist()

    def compiler(self) -> Callable[[Any], Any]:
        """Return what makes a queryset into SQL and parameters, by its plan."""
        try:
            return importlib.import_module("turbo_orm.plan").bind_only
        except (ImportError, AttributeError):
            raise NotAvailable("this version has no turbo_orm.plan.bind_only") from None


class TurboWithoutPlans(Turbo):
    """Turbo ORM, every query built and compiled by Django."""

    plans = "off"
