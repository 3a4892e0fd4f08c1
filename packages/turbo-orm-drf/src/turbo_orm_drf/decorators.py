"""``api_view`` for functions of both kinds; DRF's other decorators as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from rest_framework import decorators
from rest_framework.decorators import api_view as api_view_of_drf

from .views import APIView

__all__ = ["action", "api_view"]

F = TypeVar("F", bound=Callable[..., Any])
View = Callable[..., Awaitable[Any]]


def action(
    methods: Sequence[str] | None = None,
    detail: bool | None = None,
    url_path: str | None = None,
    url_name: str | None = None,
    **kwargs: Any,
) -> Callable[[F], F]:
    """Mark a method of a viewset, which may be a coroutine function, for routers.

    Args:
        methods: that it answers; ``GET`` if None.
        detail: whether it is about one object; must be said.
        url_path: the segment of its address; its name if None.
        url_name: for ``reverse()``; its name with dashes if None.
        **kwargs: attributes of the viewset for this action.

    Mirrors ``rest_framework.decorators.action``, whose mapping of further methods it has.
    """
    mark: Callable[[F], F] = decorators.action(methods, detail, url_path, url_name, **kwargs)
    return mark


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
