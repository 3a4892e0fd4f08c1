"""Connections by (alias, event loop, process): open, lend, take back, count, close."""

from .pool import Pool, PoolRecipe
from .registry import close_pools, get_pool, pool_stats, retire_pools, use_recipes
from .stats import PoolStats

__all__ = [
    "Pool",
    "PoolRecipe",
    "PoolStats",
    "close_pools",
    "get_pool",
    "pool_stats",
    "retire_pools",
    "use_recipes",
]
