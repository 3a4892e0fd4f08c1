"""DRF's viewsets, as coroutine functions; the actions keep their names."""

from __future__ import annotations

from typing import Any

from rest_framework import viewsets

from . import generics, views
from .quiet import undescribed

__all__ = [
    "GenericViewSet",
    "ModelViewSet",
    "ReadOnlyModelViewSet",
    "ViewSet",
    "ViewSetMixin",
]


@undescribed
class ViewSetMixin(views.AsyncViewMixin, viewsets.ViewSetMixin):
    """Mirrors ``rest_framework.viewsets.ViewSetMixin``."""


@undescribed
class ViewSet(ViewSetMixin, views.APIView, viewsets.ViewSet):
    """Mirrors ``rest_framework.viewsets.ViewSet``."""


@undescribed
class GenericViewSet(ViewSetMixin, generics.GenericAPIView, viewsets.GenericViewSet):
    """Mirrors ``rest_framework.viewsets.GenericViewSet``."""


@undescribed
class ReadOnlyModelViewSet(GenericViewSet, viewsets.ReadOnlyModelViewSet):
    """Mirrors ``rest_framework.viewsets.ReadOnlyModelViewSet``."""


@undescribed
class ModelViewSet(GenericViewSet, viewsets.ModelViewSet):
    """Mirrors ``rest_framework.viewsets.ModelViewSet``."""


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(viewsets, name)
