"""The project's settings, which differ in the handler, the manager and the URLs."""

from __future__ import annotations

from typing import Any

import django

from benchmarks.peers.django_settings import configure, fixed_pool
from benchmarks.served.project import MIDDLEWARE

APPS = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "benchmarks.drfs",
)
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
OF_THEIR_OWN = {"aiodrf": ("aiodrf",), "turbo": ("turbo_orm",)}


def application(system: str, conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return the ASGI application of a system.

    Args:
        system: one of `SYSTEMS`.
        conninfo: the database, as libpq writes it.
        middleware: whether the seven default middleware are on.
        connections: the size of the pool.
    """
    pool = fixed_pool(connections)
    settings: dict[str, Any] = {
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "MIDDLEWARE": MIDDLEWARE if middleware else [],
        "REST_FRAMEWORK": REST_FRAMEWORK,
        "ROOT_URLCONF": f"benchmarks.drfs.{system}_urls",
        "TIME_ZONE": "UTC",
    }
    apps = (*OF_THEIR_OWN.get(system, ()), *APPS)
    if system == "turbo":
        settings["TURBO_ORM"] = {"POOL": {"default": pool}}
        configure(conninfo, manager="turbo_orm.AsyncManager", apps=apps, **settings)
        from turbo_orm.asgi import get_asgi_application
    else:
        # Django's synchronous backend has a pool since 5.1; before, a connection per request.
        own = pool if django.VERSION >= (5, 1) else None
        configure(conninfo, manager="django.db.models.Manager", pool=own, apps=apps, **settings)
        from django.core.asgi import get_asgi_application
    return get_asgi_application()
