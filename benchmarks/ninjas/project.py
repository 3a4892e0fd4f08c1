"""The project's settings, which differ in the handler, the manager and the URLs."""

from __future__ import annotations

from typing import Any

from benchmarks.served.project import CONTRIB, asgi_application, settings_for

APPS = (*CONTRIB, "benchmarks.tagged")
SYSTEMS = {
    "sync": "Ninja, synchronous views",
    "async": "Ninja, asynchronous views",
    "turbo": "Turbo ORM",
}


def application(system: str, conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return the ASGI application of a system."""
    settings = settings_for(middleware=middleware, urls=f"benchmarks.ninjas.{system}_urls")
    turbo = system == "turbo"
    return asgi_application(conninfo, turbo=turbo, connections=connections, apps=APPS, **settings)
