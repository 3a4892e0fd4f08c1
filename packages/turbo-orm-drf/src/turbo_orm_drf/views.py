"""DRF's ``APIView``, as a coroutine function."""

from __future__ import annotations

from typing import Any

from rest_framework import views

from .asynchronous import AsyncViewMixin
from .quiet import undescribed

__all__ = [
    "APIView",
    "AsyncViewMixin",
]


@undescribed
class APIView(AsyncViewMixin, views.APIView):
    """Mirrors ``rest_framework.views.APIView``."""


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(views, name)
