"""The two decorators that bring an operation of Ninja's onto the bridge."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import isasyncgenfunction, iscoroutinefunction, unwrap
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja.decorators import decorate_view
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

from turbo_orm import portal

from .call import Call, running
from .cancellation import heeding_cancellation
from .endpoint import Endpoint
from .finishing import finishing
from .preparing import prepare
from .streaming import bridge_stream

C = TypeVar("C", bound=Callable[..., Any])

BRIDGED = "_turbo_orm_bridged"


def bridged(run: Callable[..., Any]) -> Callable[..., Any]:
    """Drive an operation in the bridge, from authentication to the response.

    Args:
        run: the method of a bound operation, as ``add_decorator(..., mode="view")`` hands it over.

    Returns:
        A coroutine function; ``run`` itself if the operation is synchronous.
    """
    operation = _operation_of(run)
    if getattr(run, BRIDGED, False) or not (operation.is_async if operation else _waits(run)):
        return run
    endpoint = None if operation is None else Endpoint(operation)

    @functools.wraps(run)
    async def run_in_bridge(request: HttpRequest, **kwargs: Any) -> Any:
        if endpoint is None:
            return bridge_stream(await heeding_cancellation(portal(run(request, **kwargs))), None)
        prepare(endpoint)
        call = Call(endpoint)
        token = running.set(call)
        try:
            response = await heeding_cancellation(portal(start(endpoint, run, request, kwargs)))
        finally:
            running.reset(token)
        return bridge_stream(response, call)

    setattr(run_in_bridge, BRIDGED, True)
    return run_in_bridge


async def start(
    endpoint: Endpoint, run: Callable[..., Any], request: HttpRequest, kwargs: dict[str, Any]
) -> Any:
    """Run an operation, in the bridge.

    Args:
        endpoint: the operation.
        run: its method, maybe with decorators around it.
        request: the request.
        kwargs: from the URL.
    """
    # Only the operation's own method has another in its place: a decorator's has done more.
    if endpoint.synchronous is None or getattr(run, "__self__", None) is not endpoint.operation:
        return await run(request, **kwargs)
    return endpoint.synchronous(request, **kwargs)


def _operation_of(run: Callable[..., Any]) -> Operation | None:
    """Return the operation that a method belongs to, also if decorators are around it."""
    owner = getattr(unwrap(run), "__self__", None)
    return owner if isinstance(owner, Operation) else None


def _waits(run: Callable[..., Any]) -> bool:
    return iscoroutinefunction(run)


def bring(operation: Operation) -> None:
    """Bring a bound operation onto the bridge that no decorator of the API has reached.

    Args:
        operation: such as that of a controller of ``ninja_extra``; one that is there already, or
            is synchronous, stays.
    """
    operation.run = bridged(operation.run)  # type: ignore[method-assign]
    operation.view_func = finishing(operation.view_func)


def turbo_view(function: C) -> C:
    """Bring one operation of a stock ``NinjaAPI`` or ``Router`` onto the bridge.

    Args:
        function: a coroutine function or an asynchronous generator function.

    Raises:
        TypeError: the function is synchronous.

    Use it below ``@api.get(...)``, and above ``@paginate``.
    """
    if not (iscoroutinefunction(function) or isasyncgenfunction(function)):
        raise TypeError(
            f"turbo_view({function!r}) takes an `async def` function: a synchronous operation has "
            "a thread of its own."
        )
    contribute_operation_callback(function, _finish_results)
    return decorate_view(bridged)(function)


def _finish_results(operation: Operation) -> None:
    operation.view_func = finishing(operation.view_func)
