"""The project's settings, which differ in the handler, the manager and the view."""

from __future__ import annotations

from typing import Any

import django

from benchmarks.ninjas.project import APPS
from benchmarks.peers.django_settings import configure, fixed_pool
from benchmarks.served.project import MIDDLEWARE

SYSTEMS = {
    "sync": "strawberry-django, synchronous view",
    "async": "strawberry-django, asynchronous view",
    "turbo": "Turbo ORM",
}
# The view is the browser's page too; its token is not what is measured.
WITHOUT_TOKEN = [name for name in MIDDLEWARE if "csrf" not in name.lower()]


def application(system: str, conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return the ASGI application of a system.

    Args:
        system: one of `SYSTEMS`.
        conninfo: the database, as libpq writes it.
        middleware: whether the default middleware are on.
        connections: the size of the pool.
    """
    pool = fixed_pool(connections)
    settings: dict[str, Any] = {
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "BENCHMARK_SYSTEM": system,
        "MIDDLEWARE": WITHOUT_TOKEN if middleware else [],
        "ROOT_URLCONF": "benchmarks.strawberries.urls",
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
