"""DRF's generic views, as coroutine functions."""

from __future__ import annotations

from typing import Any

from rest_framework import generics

from . import views
from .quiet import undescribed

__all__ = [
    "CreateAPIView",
    "DestroyAPIView",
    "GenericAPIView",
    "ListAPIView",
    "ListCreateAPIView",
    "RetrieveAPIView",
    "RetrieveDestroyAPIView",
    "RetrieveUpdateAPIView",
    "RetrieveUpdateDestroyAPIView",
    "UpdateAPIView",
]


@undescribed
class GenericAPIView(views.APIView, generics.GenericAPIView):
    """Mirrors ``rest_framework.generics.GenericAPIView``."""


@undescribed
class CreateAPIView(GenericAPIView, generics.CreateAPIView):
    """Mirrors ``rest_framework.generics.CreateAPIView``."""


@undescribed
class ListAPIView(GenericAPIView, generics.ListAPIView):
    """Mirrors ``rest_framework.generics.ListAPIView``."""


@undescribed
class RetrieveAPIView(GenericAPIView, generics.RetrieveAPIView):
    """Mirrors ``rest_framework.generics.RetrieveAPIView``."""


@undescribed
class DestroyAPIView(GenericAPIView, generics.DestroyAPIView):
    """Mirrors ``rest_framework.generics.DestroyAPIView``."""


@undescribed
class UpdateAPIView(GenericAPIView, generics.UpdateAPIView):
    """Mirrors ``rest_framework.generics.UpdateAPIView``."""


@undescribed
class ListCreateAPIView(GenericAPIView, generics.ListCreateAPIView):
    """Mirrors ``rest_framework.generics.ListCreateAPIView``."""


@undescribed
class RetrieveUpdateAPIView(GenericAPIView, generics.RetrieveUpdateAPIView):
    """Mirrors ``rest_framework.generics.RetrieveUpdateAPIView``."""


@undescribed
class RetrieveDestroyAPIView(GenericAPIView, generics.RetrieveDestroyAPIView):
    """Mirrors ``rest_framework.generics.RetrieveDestroyAPIView``."""


@undescribed
class RetrieveUpdateDestroyAPIView(GenericAPIView, generics.RetrieveUpdateDestroyAPIView):
    """Mirrors ``rest_framework.generics.RetrieveUpdateDestroyAPIView``."""


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(generics, name)
