"""What tests of asynchronous Django code need; never imported where requests are served.

The names are imported when first used: pytest loads the plugin before settings are configured.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cases import SimpleTestCase, TestCase, TransactionTestCase
    from .client import AsyncClient
    from .hopping import hops, no_threads
    from .leakage import leaks

_HOMES = {
    "AsyncClient": "client",
    "SimpleTestCase": "cases",
    "TestCase": "cases",
    "TransactionTestCase": "cases",
    "hops": "hopping",
    "leaks": "leakage",
    "no_threads": "hopping",
}

__all__ = [
    "AsyncClient",
    "SimpleTestCase",
    "TestCase",
    "TransactionTestCase",
    "hops",
    "leaks",
    "no_threads",
]

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
