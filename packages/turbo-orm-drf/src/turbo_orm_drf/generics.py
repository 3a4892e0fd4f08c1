"""DRF's generic views, as coroutine functions."""

from __future__ import annotations

from typing import Any

from rest_framework import generics

from . import views

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


class GenericAPIView(views.APIView, generics.GenericAPIView):
    """Mirrors ``rest_framework.generics.GenericAPIView``."""


class CreateAPIView(GenericAPIView, generics.CreateAPIView):
    """Mirrors ``rest_framework.generics.CreateAPIView``."""


class ListAPIView(GenericAPIView, generics.ListAPIView):
    """Mirrors ``rest_framework.generics.ListAPIView``."""


class RetrieveAPIView(GenericAPIView, generics.RetrieveAPIView):
    """Mirrors ``rest_framework.generics.RetrieveAPIView``."""


class DestroyAPIView(GenericAPIView, generics.DestroyAPIView):
    """Mirrors ``rest_framework.generics.DestroyAPIView``."""


class UpdateAPIView(GenericAPIView, generics.UpdateAPIView):
    """Mirrors ``rest_framework.generics.UpdateAPIView``."""


class ListCreateAPIView(GenericAPIView, generics.ListCreateAPIView):
    """Mirrors ``rest_framework.generics.ListCreateAPIView``."""


class RetrieveUpdateAPIView(GenericAPIView, generics.RetrieveUpdateAPIView):
    """Mirrors ``rest_framework.generics.RetrieveUpdateAPIView``."""


class RetrieveDestroyAPIView(GenericAPIView, generics.RetrieveDestroyAPIView):
    """Mirrors ``rest_framework.generics.RetrieveDestroyAPIView``."""


class RetrieveUpdateDestroyAPIView(GenericAPIView, generics.RetrieveUpdateDestroyAPIView):
    """Mirrors ``rest_framework.generics.RetrieveUpdateDestroyAPIView``."""


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(generics, name)
