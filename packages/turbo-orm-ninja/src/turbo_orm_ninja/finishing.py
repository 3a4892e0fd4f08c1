"""The decorator that fetches what an operation returns before Ninja reads it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any, TypeVar

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest

from .call import Call, running
from .options import option, set_option
from .results import fetched, unwrapped, wrapped
from .streaming import array_response, items_of

C = TypeVar("C", bound=Callable[..., Any])


def finishing(function: C) -> C:
    """Fetch what an operation returns before Ninja reads it.

    Args:
        function: the function of an operation.

    Returns:
        One of the same kind; the function itself if it is synchronous.
    """
    if option(function, "finished", False):
        return function
    if not (iscoroutinefunction(function) or isasyncgenfunction(function)):
        return function

    @functools.wraps(function)
    def operate(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        call = running.get()
        if call is None:
            return function(request, *args, **kwargs)
        if call.endpoint.streams:
            call.source = items_of(call.endpoint, function(request, *args, **kwargs))
            return call.source
        return _operate_and_fetch(call, request, function, args, kwargs)

    if iscoroutinefunction(function):
        markcoroutinefunction(operate)
    finished: C = set_option(operate, "finished", True)  # type: ignore[assignment]
    return finished


async def _operate_and_fetch(
    call: Call,
    request: HttpRequest,
    function: Callable[..., Coroutine[Any, Any, Any]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    async with call.endpoint.transaction():
        result = await function(request, *args, **kwargs)
        return result if call.complete else _finished(call, request, result, kwargs)


def _finished(call: Call, request: HttpRequest, result: Any, arguments: dict[str, Any]) -> Any:
    """Return a result with everything in it that Ninja is going to read; in the bridge.

    Args:
        call: the request to the operation.
        request: the request itself.
        result: what the operation returned.
        arguments: what it was called with.
    """
    endpoint = call.endpoint
    status, body = unwrapped(result, endpoint.operation.response_models)
    shape = endpoint.shape_or_none(status)
    if shape is None:
        return result
    if hasattr(body, "__anext__"):
        headers = arguments.get(endpoint.operation.signature.response_arg or "")
        return array_response(call, request, status, body, headers)
    return wrapped(result, status, fetched(body, shape, optimizing=endpoint.optimizes))
