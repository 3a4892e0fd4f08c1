"""django-async-backend's manager and engine, under Django's own handler."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.django_settings import configure, fixed_pool
from benchmarks.served.project import APPS, settings_for


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up with that package, and return Django's handler."""
    configure(
        conninfo,
        manager="django_async_backend.db.models.manager.AsyncManager",
        engine="django_async_backend.db.backends.postgresql",
        pool=fixed_pool(connections),
        apps=("django_async_backend", *APPS),
        **settings_for(middleware=middleware),
    )
    from django.core.asgi import get_asgi_application

    return get_asgi_application()
