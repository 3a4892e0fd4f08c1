"""Connections by (alias, event loop, process): open, lend, take back, count, close."""

from .pool import Pool, PoolRecipe
from .registry import (
    admit_pool,
    close_pools,
    get_pool,
    pool_stats,
    refuse_pool,
    retire_pools,
    use_recipes,
)
from .stats import PoolStats

__all__ = [
    "Pool",
    "PoolRecipe",
    "PoolStats",
    "admit_pool",
    "close_pools",
    "get_pool",
    "pool_stats",
    "refuse_pool",
    "retire_pools",
    "use_recipes",
]
