"""Django's own WSGI handler, with synchronous views."""

from __future__ import annotations

from typing import Any

from benchmarks.served.project import set_up_stock, settings_for


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return its handler."""
    settings = settings_for(middleware=middleware, urls="benchmarks.served.sync_views")
    set_up_stock(conninfo, connections=connections, **settings)
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()
