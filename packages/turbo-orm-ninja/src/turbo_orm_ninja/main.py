"""An API whose asynchronous operations run on the bridge."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from ninja import NinjaAPI
from turbo_orm.asgi import on_loop

from .awaiting import settled
from .finishing import finishing
from .operation import bridged, bring

NINJAS_VIEWS = {"api-root", "openapi-json", "openapi-view"}


class TurboNinjaAPI(NinjaAPI):
    """Mirrors ``ninja.NinjaAPI``; routers that are added to it inherit what it does.

    Args:
        *args: as for Ninja's.
        optimize: whether querysets are optimised by the response schema; see ``optimize``.
        **kwargs: as for Ninja's.

    Exception handlers may be coroutine functions. Synchronous operations stay as they are.
    """

    def __init__(self, *args: Any, optimize: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.optimize = optimize
        self.add_decorator(bridged, mode="view")
        self.add_decorator(finishing)

    @property
    def urls(self) -> Any:
        """The URL configuration; the documentation's views run on the loop: they only render.

        Mirrors ``NinjaAPI.urls``.
        """
        patterns, app, namespace = super().urls
        pattern: Any
        for pattern in patterns:
            if getattr(pattern, "name", None) in NINJAS_VIEWS:
                pattern.callback = on_loop(pattern.callback)
        return patterns, app, namespace

    def _get_bound_routers(self) -> Any:
        """Return the routers; those that other packages add, with their operations on the bridge.

        Mirrors ``NinjaAPI._get_bound_routers``, which controllers of ``ninja_extra`` come by.
        """
        routers = super()._get_bound_routers()
        for router in routers:
            for view in router.path_operations.values():
                for operation in view.operations:
                    bring(operation)
        return routers

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """Return the response of the handler for an exception, which may be a coroutine function.

        Args:
            request: the request.
            exc: the exception; it is raised if it has no handler.

        Mirrors ``NinjaAPI.on_exception``.
        """
        return self.answer(super().on_exception(request, exc))

    @staticmethod
    def answer(response: Any) -> HttpResponse:
        """Return what an exception handler has answered, waiting for it if need be.

        Args:
            response: a response, or an awaitable of one.
        """
        answered: HttpResponse = settled(response)
        return answered
