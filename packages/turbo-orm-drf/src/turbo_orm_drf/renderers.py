"""Renderers of rows that are sent one after another: JSON lines and server-sent events."""

from __future__ import annotations

import dataclasses
from typing import Any

from rest_framework import renderers

__all__ = ["EventStreamRenderer", "JSONLinesRenderer", "ServerSentEvent", "StreamRenderer"]


@dataclasses.dataclass(frozen=True)
class ServerSentEvent:
    """One event of a stream, where it is more than its data.

    Args:
        data: anything that DRF's JSON encoder takes.
        event: its type.
        id: what the browser sends back in ``Last-Event-ID`` when it connects again.
        retry: after how many milliseconds it may do so.
        comment: ignored by browsers; keeps proxies from closing the connection.
    """

    data: Any = None
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None


class StreamRenderer(renderers.JSONRenderer):
    """Writes rows of JSON; a subclass says what stands around each.

    Mirrors ``rest_framework.renderers.JSONRenderer``, whose settings apply.
    """

    charset = "utf-8"

    def get_indent(self, accepted_media_type: str | None, renderer_context: Any) -> None:
        """Return None: each row is one line."""

    def encode(self, row: Any) -> bytes:
        """Return one row as it is sent.

        Args:
            row: of primitive values.
        """
        raise NotImplementedError(f"{type(self).__name__} must define encode()")

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Return a whole response, such as an error or a page.

        Args:
            data: a list of rows, or one.
            accepted_media_type: what was negotiated.
            renderer_context: of the view.
        """
        if data is None:
            return b""
        return b"".join(self.encode(row) for row in (data if isinstance(data, list) else [data]))

    def json(self, value: Any) -> bytes:
        """Return a value as JSON, as DRF writes it.

        Args:
            value: of primitive values; None is ``null``.
        """
        written: bytes = super().render(value, None, {})
        return written or b"null"


class JSONLinesRenderer(StreamRenderer):
    """One JSON document per line: ``application/jsonl``, ``?format=jsonl``."""

    media_type = "application/jsonl"
    format = "jsonl"

    def encode(self, row: Any) -> bytes:
        """Return a row and the end of its line.

        Args:
            row: of primitive values.
        """
        return self.json(row) + b"\n"


class EventStreamRenderer(StreamRenderer):
    """Server-sent events, which browsers read with ``EventSource``: ``text/event-stream``."""

    media_type = "text/event-stream"
    format = "events"

    def encode(self, row: Any) -> bytes:
        """Return a row as an event.

        Args:
            row: the data, or a ``ServerSentEvent``.

        Raises:
            ValueError: a name or an identifier has more than one line.
        """
        event = row if isinstance(row, ServerSentEvent) else ServerSentEvent(row)
        lines = [f"{name}: {value}" for name, value in _fields(event) if value is not None]
        written = [line.encode() for line in lines]
        if event.data is not None or not lines:
            written.append(b"data: " + self.json(event.data))
        return b"\n".join(written) + b"\n\n"


def _fields(event: ServerSentEvent) -> list[tuple[str, Any]]:
    fields = [("", event.comment), ("event", event.event), ("id", event.id), ("retry", event.retry)]
    for name, value in fields:
        if len(str(value).splitlines()) > 1:
            raise ValueError(
                f"The {name or 'comment'} of a server-sent event is one line, but {value!r} has "
                "several: put them into its data."
            )
    return fields


def __getattr__(name: str) -> Any:
    """Return what is not changed here from DRF's own module."""
    return getattr(renderers, name)
