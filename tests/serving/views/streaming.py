"""Responses that are sent in pieces, and files."""

import io
import tempfile

from django.http import FileResponse, StreamingHttpResponse

from ..models import Book
from ..recorder import note


class Closing:
    """A closer that a response calls at its end."""

    def close(self):
        note("closer called")


def _closing(response):
    response._resource_closers.append(Closing().close)
    return response


async def async_stream(request):
    async def parts():
        for number in range(4):
            yield f"part {number}\n"
        note("stream exhausted")

    return _closing(StreamingHttpResponse(parts()))


def stream(request):
    return _closing(StreamingHttpResponse(f"part {number}\n" for number in range(4)))


def stream_books(request):
    """Ask the database while the response is already on its way."""
    found = Book.objects.values_list("title", flat=True)
    return StreamingHttpResponse(f"{title}\n" for title in found)


async def async_stream_books(request):
    async def titles():
        async for book in Book.objects.all():
            yield f"{book.title}\n"

    return _closing(StreamingHttpResponse(titles(), content_type="text/plain"))


async def broken_stream(request):
    async def parts():
        yield "first"
        raise RuntimeError("in the middle")

    return _closing(StreamingHttpResponse(parts()))


def broken_from_generator(request):
    def parts():
        yield "first"
        raise RuntimeError("in the middle")

    return _closing(StreamingHttpResponse(parts()))


def from_asynchronous(request):
    """Leave it to a coroutine to make the pieces."""

    async def parts():
        for number in range(4):
            yield f"part {number}\n"
        note("stream exhausted")

    return _closing(StreamingHttpResponse(parts()))


async def endless(request):
    async def parts():
        try:
            while True:
                yield "more and more "
        finally:
            note("endless stream closed")

    return _closing(StreamingHttpResponse(parts()))


def memory_file(request):
    return FileResponse(io.BytesIO(b"content " * 20000), filename="content.txt")


async def async_memory_file(request):
    return FileResponse(io.BytesIO(b"content"), as_attachment=True, filename="content.bin")


def disk_file(request):
    file = tempfile.NamedTemporaryFile(suffix=".css")  # noqa: SIM115  # the response closes it
    file.write(b"body { color: red }\n" * 10000)
    file.seek(0)
    return FileResponse(file, filename="style.css")
