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
    "benchmarks.ninjas",
)
SYSTEMS = {
    "sync": "Ninja, synchronous views",
    "async": "Ninja, asynchronous views",
    "turbo": "Turbo ORM",
}


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
        "ROOT_URLCONF": f"benchmarks.ninjas.{system}_urls",
        "TIME_ZONE": "UTC",
    }
    if system == "turbo":
        settings["TURBO_ORM"] = {"POOL": {"default": pool}}
        configure(conninfo, manager="turbo_orm.AsyncManager", apps=("turbo_orm", *APPS), **settings)
        from turbo_orm.asgi import get_asgi_application
    else:
        # Django's synchronous backend has a pool since 5.1; before, a connection per request.
        own = pool if django.VERSION >= (5, 1) else None
        configure(conninfo, manager="django.db.models.Manager", pool=own, apps=APPS, **settings)
        from django.core.asgi import get_asgi_application
    return get_asgi_application()
