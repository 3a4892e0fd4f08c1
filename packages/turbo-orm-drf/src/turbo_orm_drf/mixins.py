"""DRF's actions as they are, and two mixins of ours."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins

from .optimizing import AutoOptimizeMixin
from .streaming import StreamingListMixin

__all__ = ["AutoOptimizeMixin", "StreamingListMixin"]


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(mixins, name)
