"""Ninja's test clients, for operations of both kinds in tests of both kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from ninja.testing.client import NinjaResponse

from ninja import NinjaAPI, testing

from .main import TurboNinjaAPI
from .names import CLIENTS, USES

__all__ = ["TestAsyncClient", "TestClient"]


class OfEither(testing.client.NinjaClientBase):
    """What both clients have in common."""

    @cached_property
    def urls(self) -> list[Any]:
        """The patterns of the API; those of a router as a ``TurboNinjaAPI`` has them.

        Mirrors ``NinjaClientBase.urls``.
        """
        served = self.router_or_app
        if isinstance(served, NinjaAPI):
            api = served
        else:
            # A namespace of its own: Ninja remembers those that are taken.
            api = TurboNinjaAPI(urls_namespace=f"test-{id(self)}")
            api.add_router("", served)
        patterns: list[Any] = api.urls[0]
        return patterns


class TestAsyncClient(OfEither, testing.TestAsyncClient):
    """Asks an API or a router from asynchronous tests; synchronous operations have a thread.

    Mirrors ``ninja.testing.TestAsyncClient``.
    """

    async def _call(
        self, func: Callable[..., Any], request: HttpRequest, kwargs: dict[str, Any]
    ) -> NinjaResponse:
        if iscoroutinefunction(func):
            return await super()._call(func, request, kwargs)
        # A stream of such an operation is read there too.
        return await sync_to_async(_answered)(func, request, kwargs)


class TestClient(OfEither, testing.TestClient):
    """Asks an API or a router from synchronous tests, whose transaction operations are in.

    Mirrors ``ninja.testing.TestClient``, which knows no asynchronous operations.
    """

    def _call(
        self, func: Callable[..., Any], request: HttpRequest, kwargs: dict[str, Any]
    ) -> NinjaResponse:
        if not iscoroutinefunction(func):
            return super()._call(func, request, kwargs)
        awaiting = TestAsyncClient(self.router_or_app)
        return async_to_sync(awaiting._call)(func, request, kwargs)


def _answered(
    func: Callable[..., Any], request: HttpRequest, kwargs: dict[str, Any]
) -> NinjaResponse:
    return NinjaResponse(func(request, **kwargs))


USES.refuse(CLIENTS)


def __getattr__(name: str) -> Any:
    """Return what is not changed here from Ninja's own module."""
    return getattr(testing, name)
