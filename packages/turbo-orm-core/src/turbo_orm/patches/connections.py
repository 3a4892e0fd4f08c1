"""Put the storage that knows the bridge where ``django.db.connections`` looks."""

from __future__ import annotations

from typing import Any

from django.db import connections

from ..callers import here
from ..leases.storage import BridgedStorage


def install() -> None:
    """Put the storage before Django's own; safe to call again."""
    handler: Any = connections
    original = handler._connections
    if isinstance(original, BridgedStorage):
        return
    handler._connections = BridgedStorage(original)
    # What this thread has made before; without settings nothing can have been made.
    for alias in handler if "settings" in vars(handler) else ():
        if hasattr(original, alias):
            here.wrappers[alias] = wrapper = getattr(original, alias)
            setattr(handler._connections, alias, wrapper)
