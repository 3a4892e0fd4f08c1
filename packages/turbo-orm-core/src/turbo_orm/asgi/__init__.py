"""Serving: what an ASGI server needs of Turbo ORM."""

from .lifespan import lifespan

__all__ = ["lifespan"]
