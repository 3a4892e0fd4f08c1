"""Connections by (alias, event loop, process): open, lend, take back, count, close."""

from .connection import PooledConnection, finish
from .driver import check_driver
from .parameters import Parameters
from .pool import OPTION_NAMES, OWN_OPTIONS, Pool, PoolRecipe
from .registry import (
    admit_pool,
    close_pools,
    close_resting_pools,
    get_pool,
    guard_pools,
    pool_stats,
    pools_of_running_loop,
    refuse_pool,
    retire_pools,
    use_recipes,
)
from .stats import PoolStats

__all__ = [
    "OPTION_NAMES",
    "OWN_OPTIONS",
    "Parameters",
    "Pool",
    "PoolRecipe",
    "PoolStats",
    "PooledConnection",
    "admit_pool",
    "check_driver",
    "close_pools",
    "close_resting_pools",
    "finish",
    "get_pool",
    "guard_pools",
    "pool_stats",
    "pools_of_running_loop",
    "refuse_pool",
    "retire_pools",
    "use_recipes",
]
