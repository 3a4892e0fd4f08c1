"""The view that serves a schema on the event loop."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from strawberry.django.views import AsyncGraphQLView as StockAsyncGraphQLView

from turbo_orm import portal

from .loading import load_once


class AsyncGraphQLView(StockAsyncGraphQLView[Any, Any]):
    """Mirrors ``strawberry.django.views.AsyncGraphQLView``.

    ``get_context``, ``get_root_value`` and ``render_graphql_ide`` may use the ORM in any way. The
    session and the user are loaded by the first field that asks for them, once.
    """

    async def dispatch(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Any:
        """Answer a request, in the bridge.

        Args:
            request: the request.
            *args: what the URL captured.
            **kwargs: what the URL captured.

        Mirrors ``AsyncGraphQLView.dispatch``.
        """
        load_once(request)
        return await portal(super().dispatch(request, *args, **kwargs))
