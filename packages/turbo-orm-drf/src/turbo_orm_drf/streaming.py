"""Responses that are sent while their rows are read, with constant memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework import renderers

from turbo_orm import run_sync
from turbo_orm.streams import CHUNK, chunks_of, end_stream, source_of

from .quiet import undescribed
from .renderers import JSONLinesRenderer, StreamRenderer

__all__ = ["StreamingListMixin", "StreamingResponse"]


class StreamingResponse(StreamingHttpResponse):
    """A response whose rows are serialized and sent as they come.

    Args:
        rows: a queryset, which is read by a server-side cursor, an asynchronous iterator, such as a
            generator of events, any iterable, or an awaitable of one of these.
        serializer: called with rows and ``many=True``, such as a view's ``get_serializer``; without
            it the rows are sent as they are.
        status: the status.
        headers: further headers.
        chunk_size: how many rows of a queryset are fetched, serialized and sent at once.

    Sent as the negotiated renderer says if that is a ``StreamRenderer``, else as a JSON array. The
    counterpart of ``rest_framework.response.Response``.
    """

    def __init__(
        self,
        rows: Any,
        serializer: Callable[..., Any] | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        chunk_size: int = CHUNK,
    ) -> None:
        super().__init__((), status=status, headers=dict(headers or {}))
        self._rows = rows
        self._serializer = serializer
        self._many: Any = None
        self._chunk_size = chunk_size

    def begin(self, renderer: Any) -> None:
        """Decide how the rows are sent; called when the view has been left.

        Args:
            renderer: what was negotiated.
        """
        if isinstance(renderer, StreamRenderer):
            self["Content-Type"] = f"{renderer.media_type}; charset={renderer.charset}"
            self["Cache-Control"] = self.get("Cache-Control", "no-cache")
            pieces = self._lines(renderer)
        else:
            if not isinstance(renderer, renderers.JSONRenderer):
                renderer = renderers.JSONRenderer()
            self["Content-Type"] = renderer.media_type
            pieces = self._array(renderer)
        self.streaming_content = Pieces(pieces)

    async def _lines(self, renderer: StreamRenderer) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                yield b"".join([renderer.encode(row) for row in await self._serialized(chunk)])

    async def _array(self, renderer: Any) -> AsyncGenerator[bytes, None]:
        separator = b"["
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                data = await self._serialized(chunk)
                if data:
                    yield separator + renderer.render(list(data), None, {})[1:-1]
                    separator = b","
        yield b"[]" if separator == b"[" else b"]"

    async def _serialized(self, chunk: list[Any]) -> Any:
        return chunk if self._serializer is None else await run_sync(self._serialize, chunk)

    def _serialize(self, chunk: list[Any]) -> Any:
        if self._many is None:
            assert self._serializer is not None
            # One for all chunks: each is a tree of fields, and a cycle that only the garbage
            # collector ends.
            self._many = self._serializer([], many=True)
        return self._many.to_representation(chunk)

    async def _chunks(self) -> AsyncGenerator[list[Any], None]:
        """Yield rows, as many at once as can be had without waiting for more."""
        items, live = await source_of(self._rows, chunk_size=self._chunk_size)
        async with aclosing(chunks_of(items, 1 if live else self._chunk_size)) as chunks:
            async for chunk in chunks:
                yield chunk


class Pieces:
    """The body of a response, which ends at once when the response is closed.

    Django closes no asynchronous iterator: the connection of a server-side cursor would be kept
    until its generator is collected.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces
        # Where they are read: a view that is called without a loop may make them.
        self._loop: asyncio.AbstractEventLoop | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        self._loop = asyncio.get_running_loop()
        return await self._pieces.__anext__()

    def close(self) -> None:
        """End the stream; Django calls this with the response's ``close()``."""
        end_stream(self._pieces.aclose, self._loop)


@undescribed
class StreamingListMixin:
    """Lets the ``list`` action of a generic view or viewset stream its rows, without pages.

    Put it before the view among the bases. A client asks for JSON lines by ``Accept:
    application/jsonl`` or ``?format=jsonl``; JSON is paged as ever, unless ``streams_json`` says
    otherwise. Any of DRF's own renderers may stand beside a ``StreamRenderer``.
    """

    # True streams JSON too, as an array.
    streams_json = False

    def get_renderers(self) -> list[Any]:
        """Return the renderers of the view, and that of JSON lines.

        Mirrors ``APIView.get_renderers``.
        """
        inherited: Any = super()
        found = list(inherited.get_renderers())
        if not any(isinstance(renderer, StreamRenderer) for renderer in found):
            found.append(JSONLinesRenderer())
        return found

    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """List the rows: all of them as a stream, or as the view itself does.

        Args:
            request: DRF's request.
            *args: from the URL.
            **kwargs: from the URL.

        Mirrors ``ListModelMixin.list``.
        """
        view: Any = self
        renderer = request.accepted_renderer
        is_json = isinstance(renderer, renderers.JSONRenderer)
        if not isinstance(renderer, StreamRenderer) and not (self.streams_json and is_json):
            inherited: Any = super()
            return inherited.list(request, *args, **kwargs)
        rows = view.filter_queryset(view.get_queryset())
        optimised = getattr(view, "optimize_queryset", None)
        rows = rows if optimised is None else optimised(rows)
        return StreamingResponse(rows, view.get_serializer)
