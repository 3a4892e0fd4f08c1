"""The public base classes of models, managers and querysets; mirrors ``django.db.models``.

``from turbo_orm import AsyncModel`` gives the same classes. Migrations and pickles name each class
by this module, so the path must never change. Django imports this module as the models of the
application ``turbo_orm``, which has no tables.
"""

from __future__ import annotations

from .query import AsyncManager, AsyncModel, AsyncModelMixin, AsyncQuerySet, AsyncRawQuerySet

__all__ = ["AsyncManager", "AsyncModel", "AsyncModelMixin", "AsyncQuerySet", "AsyncRawQuerySet"]
