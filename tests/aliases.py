"""Databases of one test's own: the alias `default` with other settings."""

import copy
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.waiting import until
from turbo_orm import close_pools
from turbo_orm.connection.engine import forget_wrappers
from turbo_orm.pool import registry

_numbers = itertools.count(1)


@pytest.fixture
async def make_alias() -> AsyncIterator[Callable[..., str]]:
    """Give a function that adds an alias until the test ends; then all its connections are back."""
    made = []

    def make(
        *, options: dict[str, Any] | None = None, pool: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        alias = f"extra{next(_numbers)}"
        made.append(alias)
        database = copy.deepcopy(connections.settings["default"])
        database.update(changes)
        database["OPTIONS"] = {**database["OPTIONS"], **(options or {})}
        connections.settings[alias] = database
        if pool is not None:
            settings.TURBO_ORM["POOL"][alias] = pool
        return alias

    try:
        yield make
        await _all_back(made)
    finally:
        await close_pools()
        for alias in made:
            del connections.settings[alias]
            settings.TURBO_ORM["POOL"].pop(alias, None)
        forget_wrappers()


async def _all_back(aliases: list[str]) -> None:
    for pool in list(registry._pools.values()):
        if pool.alias in aliases:
            await until(lambda pool=pool: pool.closed or not pool.stats().in_use, told=pool.stats)
