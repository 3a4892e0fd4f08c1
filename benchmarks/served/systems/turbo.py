"""Turbo ORM's handler."""

from __future__ import annotations

from typing import Any

from benchmarks.served.project import asgi_application, settings_for


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up with this package, and return its handler."""
    settings = settings_for(middleware=middleware)
    return asgi_application(conninfo, turbo=True, connections=connections, **settings)
