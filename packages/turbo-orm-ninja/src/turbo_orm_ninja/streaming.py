"""Responses that are sent while their rows are read, with constant memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja.operation import ResponseObject

from turbo_orm import portal
from turbo_orm.query import optimize
from turbo_orm.streams import chunks_of, closing, end_stream, source_of

from .call import Call, running
from .cancellation import heeding_cancellation
from .endpoint import Endpoint
from .results import fetched

END: Any = object()


async def items_of(endpoint: Endpoint, result: Any) -> AsyncGenerator[Any, None]:
    """Yield the items of an operation with a stream format, one after another.

    Args:
        endpoint: the operation.
        result: an asynchronous iterator, such as ``aiterator()``, a queryset, which is optimised
            and read by a server-side cursor, any iterable, or an awaitable of one of these.
    """
    optimized = partial(optimize, paths=endpoint.row_paths) if endpoint.optimizes else None
    source = await source_of(result, optimized)
    async with closing(source.items) as items:
        async for item in items:
            yield item


def bridge_stream(response: Any, call: Call | None) -> Any:
    """Let a response wait in the bridge for each of its pieces, if it is an asynchronous stream.

    Args:
        response: any response.
        call: what it is the response to, if that is known.
    """
    if getattr(response, "is_async", False):
        response.streaming_content = Pieces(response.streaming_content, call)
    return response


class Pieces:
    """The body of a response, read in the bridge; ends at once when the response is closed.

    Between the rows and the server are generators of Ninja's and Django's that nobody closes when
    a client leaves: the connection of a server-side cursor would be kept until they are collected.
    """

    def __init__(self, content: AsyncIterator[bytes], call: Call | None) -> None:
        self._content = content
        self._call = call
        self._source = None if call is None else call.source
        self._loop = asyncio.get_running_loop()

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        if self._call is not None:
            self._call.resume()
        token = running.set(self._call)
        try:
            piece = await heeding_cancellation(portal(_next(self._content)))
        finally:
            running.reset(token)
        if piece is END:
            raise StopAsyncIteration
        return cast("bytes", piece)

    def close(self) -> None:
        """End the stream; Django calls this with the response's ``close()``."""
        if self._source is not None:
            end_stream(self._end, self._loop)

    async def _end(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()
            # With nothing left to read, what is around the source comes to its end.
            while await _next(self._content) is not END:
                pass


async def _next(content: AsyncIterator[bytes]) -> Any:
    try:
        return await content.__anext__()
    except StopAsyncIteration:
        return END


def array_response(
    call: Call, request: HttpRequest, status: int, items: Any, headers: HttpResponse | None
) -> StreamingHttpResponse:
    """Return a response that sends a JSON array: the same text as from a list.

    Args:
        call: the request to an operation.
        request: the request itself.
        status: the status; its response model must be a list.
        items: an asynchronous iterator of what the array is made of.
        headers: the response that the operation has put headers and cookies on.
    """
    api = call.endpoint.operation.api
    call.source = _array(call.endpoint, request, status, items)
    response = StreamingHttpResponse(
        call.source, content_type=api.get_content_type(), status=status
    )
    if headers is not None:
        for name, value in headers.items():
            response[name] = value
        response.cookies.update(headers.cookies)
    return response


async def _array(
    endpoint: Endpoint, request: HttpRequest, status: int, items: Any
) -> AsyncGenerator[str, None]:
    separator = "["
    async with aclosing(chunks_of(items)) as chunks:
        async for chunk in chunks:
            text = _text(endpoint, request, status, chunk)
            yield separator + text.strip()[1:-1]
            separator = ", "
    yield "[]" if separator == "[" else "]"


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
