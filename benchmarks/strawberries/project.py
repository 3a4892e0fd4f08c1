"""The project's settings, which differ in the handler, the manager and the view."""

from __future__ import annotations

from typing import Any

from benchmarks.served.project import CONTRIB, MIDDLEWARE, asgi_application, settings_for

APPS = (*CONTRIB, "benchmarks.tagged")
SYSTEMS = {
    "sync": "strawberry-django, synchronous view",
    "async": "strawberry-django, asynchronous view",
    "turbo": "Turbo ORM",
}
# The view is the browser's page too; its token is not what is measured.
WITHOUT_TOKEN = [name for name in MIDDLEWARE if "csrf" not in name.lower()]


def application(system: str, conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return the ASGI application of a system."""
    settings = settings_for(middleware=middleware, urls="benchmarks.strawberries.urls")
    return asgi_application(
        conninfo,
        turbo=system == "turbo",
        connections=connections,
        apps=APPS,
        BENCHMARK_SYSTEM=system,
        **{**settings, "MIDDLEWARE": WITHOUT_TOKEN if middleware else []},
    )
