"""The table of scenarios, and what several of them need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import transaction

from .. import STOCK
from ..models import Row

SCENARIOS: dict[str, Callable[[], Any]] = {}


class Undone(Exception):
    """What rolls back."""


def scenario(function: Callable[[], Any]) -> Callable[[], Any]:
    """Register a scenario."""
    SCENARIOS[function.__name__] = function
    return function


# Blocks that a coroutine opens, with Turbo ORM on a connection of a pool.
OF_COROUTINES: list[Callable[[], Any]] = []


def of_coroutine(function: Callable[[], Any]) -> Callable[[], Any]:
    """Register a scenario whose connections are not counted: a pool opens as many as it likes."""
    OF_COROUTINES.append(function)
    return scenario(function)


def in_block(body: Callable[[], Any]) -> Any:
    """Await a coroutine function inside a block: Django's own way, or ours."""
    if settings.FLAVOUR == STOCK:
        with transaction.atomic():
            return async_to_sync(body)()
    from turbo_orm import atomic

    async def block() -> Any:
        async with atomic():
            return await body()

    return asyncio.run(block())


async def in_portal(body: Callable[[], Any]) -> Any:
    """Await a coroutine function; with Turbo ORM what it calls synchronously may query."""
    if settings.FLAVOUR == STOCK:
        return await body()
    from turbo_orm import portal

    return await portal(body())


async def blocked(body: Callable[[], Any], alias: str = "default") -> Any:
    """Await a coroutine function inside a synchronous block, where such code can wait."""
    if settings.FLAVOUR == STOCK:

        def block() -> Any:
            with transaction.atomic(alias):
                return async_to_sync(body)()

        return await sync_to_async(block)()

    async def inside() -> Any:
        with transaction.atomic(alias):
            return await body()

    return await in_portal(inside)


async def count() -> int:
    """Return how many rows are seen here."""
    return await Row.objects.acount()


def names() -> list[str]:
    """Return the names that are seen here."""
    return list(Row.objects.order_by("id").values_list("name", flat=True))


async def anames() -> list[str]:
    return [row.name async for row in Row.objects.order_by("id")]


class InTwoCalls:
    """A block as many projects write it: two calls of a thread enter and leave Django's own."""

    def __init__(self) -> None:
        self.block = transaction.atomic()

    async def __aenter__(self) -> None:
        await sync_to_async(self.block.__enter__)()

    async def __aexit__(self, *error: object) -> None:
        await sync_to_async(self.block.__exit__)(*error)


async def in_two_calls(body: Callable[[], Any]) -> Any:
    """Await a coroutine function in such a block, and roll it back."""
    found = None
    try:
        async with InTwoCalls():
            found = await body()
            raise Undone
    except Undone:
        return found, await anames()
