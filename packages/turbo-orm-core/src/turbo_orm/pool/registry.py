"""Which pool belongs to this alias, event loop and process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from .forked import cut_off
from .messages import outages
from .pool import Pool, PoolRecipe
from .stats import PoolStats

RecipeOf = Callable[[str], PoolRecipe]

_pools: dict[tuple[str, int], Pool] = {}
_recipes: list[RecipeOf] = []
# Aliases of which no connection may be lent just now, each with what says why.
_refusals: dict[str, Callable[[], BaseException | None]] = {}

# Asked before any pool is: may raise.
_guards: list[Callable[[str], None]] = []


def use_recipes(recipe_of: RecipeOf) -> None:
    """Say how the recipe of an alias is found; the layer above knows Django's settings."""
    _recipes[:] = [recipe_of]


def refuse_pool(alias: str, error: Callable[[], BaseException | None]) -> None:
    """Let no connection of an alias be lent: a test may not use it, or would not see its rows.

    Args:
        alias: the database alias.
        error: makes what is raised instead; None if one may be lent after all.
    """
    _refusals[alias] = error


def admit_pool(alias: str) -> None:
    """Let connections of an alias be lent again."""
    _refusals.pop(alias, None)


def guard_pools(guard: Callable[[str], None] | None) -> None:
    """Have a function asked, with the alias, before any connection is lent; None ends that.

    Args:
        guard: raises if no connection of the alias may be lent.
    """
    _guards[:] = [] if guard is None else [guard]


def get_pool(alias: str) -> Pool:
    """Return the pool of an alias on the running loop, made but not opened if it is new.

    Raises:
        RuntimeError: no event loop is running.
        ConnectionDoesNotExist: there is no such alias.
        ImproperlyConfigured: the alias is not a PostgreSQL database.
    """
    if _refusals and alias in _refusals and (refusal := _refusals[alias]()) is not None:
        raise refusal
    for guard in _guards:
        guard(alias)
    loop = asyncio.get_running_loop()
    pool = _pools.get((alias, id(loop)))
    if pool is None or pool.loop is not loop or pool.closed:
        _forget_dead_loops()
        if pool is not None and pool.loop is loop and pool.failed:
            # All that waited for it may have been cancelled before it failed.
            pool.give_up()
        if not _recipes:
            raise RuntimeError("turbo_orm.leases has not been imported yet")
        pool = _pools[alias, id(loop)] = Pool(_recipes[0](alias), loop)
    return pool


def pool_stats(alias: str = "default") -> PoolStats:
    """Return what the pool of an alias on the running loop is doing.

    Args:
        alias: the database alias.

    Returns:
        The figures of this moment; all zero but the sizes if nothing was asked of the pool yet.

    Raises:
        RuntimeError: no event loop is running.
        ConnectionDoesNotExist: there is no such alias.
        ImproperlyConfigured: the alias is not a PostgreSQL database.

    Mirrors ``ConnectionPool.get_stats`` of psycopg_pool.
    """
    return get_pool(alias).stats()


def pools_of_running_loop() -> list[Pool]:
    """Return the pools that the running loop has used."""
    loop = asyncio.get_running_loop()
    return [pool for pool in _pools.values() if pool.loop is loop]


def close_resting_pools() -> None:
    """Close the pools of every loop that is neither running nor closed, by running it."""
    for key, pool in list(_pools.items()):
        if not pool.loop.is_closed() and not pool.loop.is_running():
            pool.loop.run_until_complete(_pools.pop(key).close())


async def close_pools() -> None:
    """Close every pool of the running loop; the next operation opens a new one.

    Idle connections are closed now, lent ones as they come back. Mirrors
    ``connections.close_all()`` of Django.
    """
    loop = asyncio.get_running_loop()
    mine = [key for key, pool in _pools.items() if pool.loop is loop]
    for key in mine:
        await _pools.pop(key).close()


def _forget_dead_loops() -> None:
    for key in [key for key, pool in _pools.items() if pool.loop.is_closed()]:
        _pools.pop(key).finish_idle()


# Pools whose settings have changed; the loop that runs them closes them when it ends.
_retired: list[Pool] = []


def retire_pools() -> None:
    """Make every pool one of the past, since the settings that it was opened with have changed."""
    _retired[:] = [pool for pool in _retired if not pool.loop.is_closed()]
    for pool in _pools.values():
        pool.finish_idle()
        _retired.append(pool)
    _pools.clear()
    outages.clear()


def _begin_anew() -> None:
    """Forget the pools of the parent; the child of a fork opens its own."""
    cut_off(connection for pool in (*_pools.values(), *_retired) for connection in pool.connections)
    _pools.clear()
    _retired.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
