"""Turbo ORM, with its plans and without them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from .base import NotAvailable
from .django_queries import DjangoQueries
from .django_settings import configure, fixed_pool


class Turbo(DjangoQueries):
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
        self.load_models()

    async def stop(self) -> None:
        """Close the pool."""
        from turbo_orm import close_pools

        await close_pools()

    async def listed(self, queryset: Any) -> Sequence[Any]:
        """Return the rows of a queryset as a list."""
        found: Sequence[Any] = await queryset.alist()
        return found

    async def transaction(self, key: int, number: int, title: str) -> Any:
        """Fetch a world, change its number and create a note, all or nothing."""
        from turbo_orm import atomic

        async with atomic():
            return await self.select_update_insert(key, number, title)

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
