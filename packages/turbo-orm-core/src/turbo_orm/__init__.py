"""Django's ORM, awaited for real: every query on a pooled async psycopg connection.

The names are imported when first used, since Django imports this package before its models may be.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from .first_use import before_first_use

if TYPE_CHECKING:
    from .bridge import await_, await_thread, eager, in_bridge, portal, run_sync
    from .exceptions import EmptyResultSet, MissingBridge, PlanMismatch, TurboOrmError
    from .lifecycle import close_pools, open_pools, pool_stats
    from .models import AsyncManager, AsyncModel, AsyncModelMixin, AsyncQuerySet, AsyncRawQuerySet
    from .plan import PlanStats, clear_plans, plan_stats
    from .pool.limit import ConnectionLimit
    from .pool.stats import PoolStats
    from .session import session_settings
    from .transaction import atomic, on_commit, set_rollback

__version__ = "0.1.0"

_HOMES = {
    "AsyncManager": "models",
    "AsyncModel": "models",
    "AsyncModelMixin": "models",
    "AsyncQuerySet": "models",
    "AsyncRawQuerySet": "models",
    "ConnectionLimit": "pool.limit",
    "EmptyResultSet": "exceptions",
    "MissingBridge": "exceptions",
    "PlanMismatch": "exceptions",
    "PlanStats": "plan",
    "PoolStats": "pool.stats",
    "TurboOrmError": "exceptions",
    "atomic": "transaction",
    "await_": "bridge",
    "await_thread": "bridge",
    "clear_plans": "plan",
    "close_pools": "lifecycle",
    "eager": "bridge",
    "in_bridge": "bridge",
    "on_commit": "transaction",
    "open_pools": "lifecycle",
    "plan_stats": "plan",
    "pool_stats": "lifecycle",
    "portal": "bridge",
    "run_sync": "bridge",
    "session_settings": "session",
    "set_rollback": "transaction",
}

__all__ = [
    "AsyncManager",
    "AsyncModel",
    "AsyncModelMixin",
    "AsyncQuerySet",
    "AsyncRawQuerySet",
    "ConnectionLimit",
    "EmptyResultSet",
    "MissingBridge",
    "PlanMismatch",
    "PlanStats",
    "PoolStats",
    "TurboOrmError",
    "__version__",
    "atomic",
    "await_",
    "await_thread",
    "clear_plans",
    "close_pools",
    "eager",
    "in_bridge",
    "on_commit",
    "open_pools",
    "plan_stats",
    "pool_stats",
    "portal",
    "run_sync",
    "session_settings",
    "set_rollback",
]


def _prepare() -> bool:
    # The bridge works without Django. Where it is used with it, `connections` must know the bridge.
    if "django.db" not in sys.modules:
        return False
    importlib.import_module(f"{__name__}.patches.essential").install()
    return True


before_first_use(_prepare)


if not TYPE_CHECKING:
    # Unseen by type checkers, which otherwise would take any name to exist here.

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
