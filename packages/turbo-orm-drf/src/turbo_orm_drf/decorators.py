"""``api_view`` for functions of both kinds; DRF's other decorators as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rest_framework import decorators
from rest_framework.decorators import api_view as api_view_of_drf

from .views import APIView

__all__ = ["api_view"]

View = Callable[..., Awaitable[Any]]


def api_view(http_method_names: list[str] | None = None) -> Callable[[Callable[..., Any]], View]:
    """Make a view of a function, which may be a coroutine function.

    Args:
        http_method_names: the methods that it answers; ``GET`` if None.

    Mirrors ``rest_framework.decorators.api_view``.
    """
    made_by_drf = api_view_of_drf(http_method_names)

    def decorate(function: Callable[..., Any]) -> View:
        made = made_by_drf(function).cls
        namespace = {"__doc__": made.__doc__, "__module__": made.__module__}
        view: Any = type(made.__name__, (APIView, made), namespace)
        as_view: View = view.as_view()
        return as_view

    return decorate


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(decorators, name)
