"""DRF's routers, whose own view is a coroutine function too."""

from __future__ import annotations

from typing import Any

from rest_framework import routers

from .views import AsyncViewMixin

__all__ = ["APIRootView", "DefaultRouter"]


class APIRootView(AsyncViewMixin, routers.APIRootView):  # noqa: D101 -- it keeps DRF's
    __doc__ = routers.APIRootView.__doc__  # shown by the browsable API


class DefaultRouter(routers.DefaultRouter):
    """Mirrors ``rest_framework.routers.DefaultRouter``."""

    APIRootView = APIRootView


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(routers, name)
