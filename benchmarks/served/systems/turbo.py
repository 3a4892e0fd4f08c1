"""Turbo ORM's handler."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.django_settings import configure, fixed_pool
from benchmarks.served.project import APPS, settings_for


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up with this package, and return its handler."""
    settings = settings_for(middleware=middleware)
    settings["TURBO_ORM"] = {"POOL": {"default": fixed_pool(connections)}}
    configure(conninfo, manager="turbo_orm.AsyncManager", apps=("turbo_orm", *APPS), **settings)
    from turbo_orm.asgi import get_asgi_application

    return get_asgi_application()
