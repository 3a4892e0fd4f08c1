"""The mixin that makes a view of DRF's a coroutine function, and leaves the rest of it alone."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.utils.decorators import classonlymethod
from rest_framework import generics, mixins, views, viewsets

from turbo_orm import in_bridge, run_sync

from .awaiting import adopted, methods_of, settled, wait_in_methods
from .pagination import awaitable
from .quiet import undescribed
from .renamed import OF_VIEWS, refuse_other_names
from .streaming import StreamingResponse

# Everything that DRF's views call of themselves.
METHODS = methods_of(
    views.APIView,
    generics.GenericAPIView,
    viewsets.ViewSetMixin,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
)
# What gives a view its policies: each may have coroutine functions.
GIVING_POLICIES = (
    *("get_authenticators", "get_content_negotiator", "get_exception_handler", "get_parsers"),
    *("get_permissions", "get_renderers", "get_throttles"),
)
ADOPTING = "_turbo_orm_drf_adopting"


@undescribed
class AsyncViewMixin:
    """Makes a view class of DRF's asynchronous: put it before that class among the bases.

    ``as_view()`` returns a coroutine function. DRF's own code runs unmodified in the bridge, where
    each query suspends only its task. Any method that DRF calls, and any handler or action, may be
    a coroutine function; so may those of permissions, throttles, authenticators, filter backends,
    paginators and renderers. Mirrors nothing of DRF's but ``as_view``.
    """

    # The view is a coroutine function whatever its handlers are; Django would allow no mixture.
    view_is_async = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_other_names(cls, OF_VIEWS)
        wait_in_methods(cls, METHODS)
        for name in GIVING_POLICIES:
            function = getattr(cls, name, None)
            if function is not None and not hasattr(function, ADOPTING):
                setattr(cls, name, _adopting(function))
        # Classes of the project's that override these call them by super().
        for name, (drfs, own) in REPLACED.items():
            if getattr(cls, name, None) is drfs:
                setattr(cls, name, own)

    @classonlymethod
    def as_view(
        cls,  # noqa: N805 -- of the class
        *args: Any,
        **initkwargs: Any,
    ) -> Callable[..., Awaitable[Any]]:
        """Return the view as a coroutine function, with all that DRF notes on it.

        Args:
            *args: the actions by method, for a viewset.
            **initkwargs: attributes of each instance.

        Mirrors ``APIView.as_view`` and ``ViewSetMixin.as_view``.
        """
        made: Any = super()
        return bridged(made.as_view(*args, **initkwargs))

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Handle a request, in the bridge; wait for the handler if it is a coroutine function.

        Args:
            request: Django's request.
            *args: from the URL.
            **kwargs: from the URL.

        Returns:
            The response.

        Mirrors ``APIView.dispatch``.
        """
        view: Any = self
        method = request.method.lower()
        if method in view.http_method_names and hasattr(view, method):
            setattr(view, method, _settling(getattr(view, method)))
        inherited: Any = super()
        return inherited.dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the response with its headers; let a stream begin.

        Args:
            request: DRF's request.
            response: what the handler returned.
            *args: from the URL.
            **kwargs: from the URL.

        Mirrors ``APIView.finalize_response``.
        """
        inherited: Any = super()
        response = inherited.finalize_response(request, response, *args, **kwargs)
        if isinstance(response, StreamingResponse):
            response.begin(request.accepted_renderer)
        return response


def _settling(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler for ``dispatch``, which treats what it raises."""

    @functools.wraps(handler)
    def handle(*args: Any, **kwargs: Any) -> Any:
        return settled(handler(*args, **kwargs))

    return handle


def _adopting(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def give(self: Any, *args: Any, **kwargs: Any) -> Any:
        return adopted(function(self, *args, **kwargs))

    setattr(give, ADOPTING, True)
    return give


def filter_queryset(self: Any, queryset: Any) -> Any:
    """Return what the filter backends leave of a queryset.

    Args:
        self: the view.
        queryset: a queryset, or whatever the backends take.

    Mirrors ``GenericAPIView.filter_queryset``.
    """
    for backend in self.filter_backends:
        queryset = adopted(backend()).filter_queryset(self.request, queryset, self)
    return queryset


def _paginator(self: Any) -> Any:
    """Return the view's paginator; DRF's own that count do so while they fetch the page.

    Mirrors ``GenericAPIView.paginator``.
    """
    if not hasattr(self, "_paginator"):
        kind = self.pagination_class
        self._paginator = None if kind is None else adopted(awaitable(kind)())
    return self._paginator


# Methods of DRF's generic views in whose middle a policy is made.
REPLACED: dict[str, tuple[Any, Any]] = {
    "filter_queryset": (generics.GenericAPIView.filter_queryset, filter_queryset),
    "paginator": (generics.GenericAPIView.paginator, property(_paginator)),
}


def bridged(view: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that calls a synchronous view in the bridge.

    Args:
        view: with any attributes, which are kept.
    """

    @functools.wraps(view)
    async def respond_in_bridge(request: Any, *args: Any, **kwargs: Any) -> Any:
        if in_bridge():
            # Whoever entered it renders the response there too.
            return _respond(view, request, args, kwargs)
        return rendered_in_bridge(await run_sync(_respond, view, request, args, kwargs))

    return respond_in_bridge


def _respond(view: Any, request: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return settled(view(request, *args, **kwargs))


def rendered_in_bridge(response: Any) -> Any:
    """Let a response be rendered in the bridge by Django's own ASGI handler, in place of a thread.

    Args:
        response: any response.
    """
    if not callable(getattr(response, "render", None)) or getattr(response, "is_rendered", False):
        return response

    @markcoroutinefunction
    def render() -> Any:
        # Responses are pickled by caches, this function could not be.
        del response.render
        # Synchronous handlers, that of Django's test client for one, ask no questions.
        return run_sync(response.render) if _on_event_loop() else response.render()

    response.render = render
    return response


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
