"""Django's own ASGI handler, without this package."""

from __future__ import annotations

from typing import Any

from benchmarks.served.project import set_up_stock


def application(conninfo: str, *, middleware: bool, connections: int) -> Any:
    """Set Django up and return its handler."""
    set_up_stock(conninfo, middleware=middleware, connections=connections)
    from django.core.asgi import get_asgi_application

    return get_asgi_application()
