"""Serving: what an ASGI server needs of Turbo ORM."""

from .handler import TurboASGIHandler, get_asgi_application
from .lifespan import lifespan
from .views import on_loop

__all__ = ["TurboASGIHandler", "get_asgi_application", "lifespan", "on_loop"]
