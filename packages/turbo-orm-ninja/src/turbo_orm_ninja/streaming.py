"""Responses that are sent while their rows are read, with constant memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from django.db.models import Manager, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja.operation import ResponseObject

from turbo_orm import portal
from turbo_orm.query import optimize

from .results import fetched

if TYPE_CHECKING:
    from .endpoint import Endpoint

# How many objects of a JSON array are checked and written at once.
CHUNK = 100
END: Any = object()


async def items_of(endpoint: Endpoint, result: Any) -> AsyncGenerator[Any, None]:
    """Yield the items of an operation with a stream format, one after another.

    Args:
        endpoint: the operation.
        result: an asynchronous iterator, such as ``aiterator()``, a queryset, which is optimised
            and read by a server-side cursor, any iterable, or an awaitable of one of these.
    """
    if isawaitable(result):
        result = await result
    if isinstance(result, Manager):
        result = result.all()
    if isinstance(result, QuerySet):
        result = optimize(result, endpoint.row_paths) if endpoint.optimizes else result
        result = result.aiterator()
    if not hasattr(result, "__aiter__"):
        for item in result:
            yield item
        return
    async for item in result:
        yield item


def bridge_stream(response: Any) -> Any:
    """Let a response wait in the bridge for each of its pieces, if it is an asynchronous stream."""
    if getattr(response, "is_async", False):
        response.streaming_content = _pieces(response.streaming_content)
    return response


async def _pieces(content: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async with aclosing(content):  # type: ignore[type-var]
        while (piece := await portal(_next(content))) is not END:
            yield piece


async def _next(content: AsyncIterator[bytes]) -> Any:
    try:
        return await content.__anext__()
    except StopAsyncIteration:
        return END


def array_response(
    endpoint: Endpoint,
    request: HttpRequest,
    status: int,
    items: AsyncIterator[Any],
    headers: HttpResponse | None,
) -> StreamingHttpResponse:
    """Return a response that sends a JSON array: the same text as from a list.

    Args:
        endpoint: the operation.
        request: the request.
        status: the status; its response model must be a list.
        items: what the array is made of.
        headers: the response that the operation has put headers and cookies on.
    """
    api = endpoint.operation.api
    response = StreamingHttpResponse(
        _array(endpoint, request, status, items), content_type=api.get_content_type(), status=status
    )
    if headers is not None:
        for name, value in headers.items():
            response[name] = value
        response.cookies.update(headers.cookies)
    return response


async def _array(
    endpoint: Endpoint, request: HttpRequest, status: int, items: AsyncIterator[Any]
) -> AsyncGenerator[str, None]:
    separator = "["
    async for chunk in _chunks(items):
        text = _text(endpoint, request, status, chunk)
        yield separator + text.strip()[1:-1]
        separator = ", "
    yield "[]" if separator == "[" else "]"


async def _chunks(items: AsyncIterator[Any]) -> AsyncGenerator[list[Any], None]:
    chunk: list[Any] = []
    async for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _text(endpoint: Endpoint, request: HttpRequest, status: int, rows: list[Any]) -> str:
    operation = endpoint.operation
    rows = fetched(rows, endpoint.shape(status), optimizing=endpoint.optimizes)
    context = {"request": request, "response_status": status}
    checked = operation.response_models[status].model_validate(
        ResponseObject(rows),  # type: ignore[arg-type]
        context=context,
    )
    data = checked.model_dump(
        by_alias=operation.by_alias,
        exclude_unset=operation.exclude_unset,
        exclude_defaults=operation.exclude_defaults,
        exclude_none=operation.exclude_none,
        context=context,
    )["response"]
    rendered = operation.api.renderer.render(request, data, response_status=status)
    return rendered.decode() if isinstance(rendered, bytes) else str(rendered)
