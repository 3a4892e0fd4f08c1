"""The project's settings, which differ in the handler, the manager and the URLs."""

from __future__ import annotations

from typing import Any

from benchmarks.served.project import CONTRIB, asgi_application, settings_for

APPS = (*CONTRIB, "rest_framework", "benchmarks.tagged", "benchmarks.drfs")
SYSTEMS = {
    "drf": "stock DRF",
    "adrf": "adrf",
    "aiodrf": "aiodrf",
    "turbo": "Turbo ORM",
}
# The same for all: JSON in and out, nobody to be authenticated.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
OF_THEIR_OWN = {"aiodrf": ("aiodrf",)}


def application(system: str, conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return the ASGI application of a system."""
    settings = settings_for(middleware=middleware, urls=f"benchmarks.drfs.{system}_urls")
    return asgi_application(
        conninfo,
        turbo=system == "turbo",
        connections=connections,
        apps=(*OF_THEIR_OWN.get(system, ()), *APPS),
        REST_FRAMEWORK=REST_FRAMEWORK,
        **settings,
    )
