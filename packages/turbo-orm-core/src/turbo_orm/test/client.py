"""Django's asynchronous test client, with requests served as ``turbo_orm.asgi`` serves them."""

from __future__ import annotations

from typing import Any

from django.test import client as django_client

from ..asgi.handler import BridgedHandler
from ..bridge import portal
from ..patches.redirect import apply_in_tests

apply_in_tests()


class BridgedAsyncClientHandler(BridgedHandler, django_client.AsyncClientHandler):
    """Serves the requests of a test client through the bridge, one entry for each."""

    async def __call__(self, scope: dict[str, Any]) -> Any:
        """Return the response to one request.

        Args:
            scope: what ``AsyncRequestFactory`` made.

        Mirrors ``django.test.client.AsyncClientHandler``.
        """
        return await portal(super().__call__(scope))


class AsyncClient(django_client.AsyncClient):
    """Django's ``AsyncClient``; middleware, views and signals run as in production.

    Takes the same arguments and has the same methods. Mirrors ``django.test.AsyncClient``.
    """

    def __init__(self, enforce_csrf_checks: bool = False, *args: Any, **kwargs: Any) -> None:
        super().__init__(enforce_csrf_checks, *args, **kwargs)
        self.handler = BridgedAsyncClientHandler(enforce_csrf_checks)
