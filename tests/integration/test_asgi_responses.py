"""How responses, files and uploads pass through turbo_orm.asgi."""

import asyncio
import gzip
import io
import threading

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from tests.testapp.models import Author
from turbo_orm import in_bridge

SPOOLS = "what is larger than FILE_UPLOAD_MAX_MEMORY_SIZE is written to disk in a thread"


async def create_authors(count):
    await Author.objects.abulk_create([Author(name=f"{number:04}") for number in range(count)])


async def all_names(chunk_size=2):
    async for author in Author.objects.order_by("name").aiterator(chunk_size=chunk_size):
        yield f"{author.name} "


async def test_an_async_iterator_is_sent_as_it_comes(serve):
    await create_authors(9)

    async def view(request):
        return StreamingHttpResponse(all_names())

    response = await serve({"": view}).get("/")
    assert [piece.decode() for piece in response.pieces] == [f"{n:04} " for n in range(9)]


async def test_a_synchronous_generator_may_query_in_the_bridge(serve):
    await create_authors(3)

    def names():
        for number in range(3):
            assert in_bridge()
            yield f"{Author.objects.get(name=f'{number:04}').pk} "

    async def view(request):
        return StreamingHttpResponse(names())

    assert (await serve({"": view}).get("/")).text == "1 2 3 "


async def test_what_a_synchronous_generator_yields_is_sent_before_it_goes_on(serve):
    produced = []

    def pieces():
        for number in range(1000):
            produced.append(number)
            yield b"x"

    async def view(request):
        return StreamingHttpResponse(pieces())

    exchange = serve({"": view}).begin("/")
    for _ in ("the start", "the first piece"):
        await exchange.next_message()
    ahead = len(produced)
    assert len((await exchange.response()).pieces) == 1000
    assert ahead < 10


async def test_a_synchronous_stream_lets_other_requests_have_their_turn(serve):
    order = []

    def pieces():
        for number in range(3):
            order.append(number)
            yield b"x"

    async def view(request):
        return StreamingHttpResponse(pieces())

    client = serve({"": view})
    await asyncio.gather(client.get("/"), client.get("/"))
    assert order == [0, 0, 1, 1, 2, 2]


@pytest.mark.needs_thread("the view runs in one")
async def test_the_generator_of_a_view_in_a_thread_runs_in_that_thread(serve):
    threads = []

    def pieces():
        for number in range(3):
            threads.append(threading.current_thread())
            yield f"{number} {Author.objects.count()} "

    def view(request):
        threads.append(threading.current_thread())
        return StreamingHttpResponse(pieces())

    assert (await serve({"": view}).get("/")).text == "0 0 1 0 2 0 "
    assert len(threads) == 4
    assert len(set(threads)) == 1
    assert threads[0] is not threading.main_thread()


async def test_a_file_in_memory_is_sent_without_a_thread(serve):
    async def view(request):
        return FileResponse(io.BytesIO(b"x" * 100_000), filename="x.bin")

    response = await serve({"": view}).get("/")
    assert (response["Content-Length"], response.body) == ("100000", b"x" * 100_000)


@pytest.mark.needs_thread("reading a file from disk blocks")
async def test_a_file_on_disk_is_read_in_a_thread_and_closed(serve, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"x" * 300_000)
    opened, readers = [], []

    class Watched(io.FileIO):
        def read(self, *args):
            readers.append(threading.current_thread() is threading.main_thread())
            return super().read(*args)

    async def view(request):
        opened.append(Watched(path))
        return FileResponse(opened[0])

    response = await serve({"": view}).get("/")
    assert (len(response.body), set(readers), opened[0].closed) == (300_000, {False}, True)


async def test_the_answer_to_head_has_headers_and_no_body(serve):
    async def view(request):
        return HttpResponse("text", headers={"X-Method": request.method})

    async def stream(request):
        return StreamingHttpResponse(all_names())

    client = serve({"": view, "stream": stream})
    response = await client.request("/", "HEAD")
    assert (response.status, response["X-Method"]) == (200, "HEAD")
    # As with Django's own handler, it is the server that drops the body.
    assert (await client.request("/stream", "HEAD")).status == 200


async def echo(request):
    size = 0
    while piece := request.read(100_000):
        size += len(piece)
    return HttpResponse(str(size))


async def test_a_body_comes_in_several_messages(serve):
    parts = [b"a" * 10, b"", b"b" * 20]
    response = await serve({"": echo}).request("/", "POST", parts)
    assert response.text == "30"


@pytest.mark.needs_thread(SPOOLS)
@pytest.mark.may_block("the view of this test reads it from there")
async def test_a_large_body_is_spooled_to_disk(serve):
    on_disk = []

    async def view(request):
        on_disk.append(getattr(request._stream, "_rolled", False))
        return await echo(request)

    client = serve({"": view}, FILE_UPLOAD_MAX_MEMORY_SIZE=1_000_000)
    sizes = [(await client.request("/", "POST", [b"x" * 200_000] * n)).text for n in (1, 50)]
    assert (sizes, on_disk) == (["200000", "10000000"], [False, True])


async def test_an_upload_of_a_form_is_saved_by_an_async_view(serve):
    boundary = "limit"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\nnotes\r\n--{boundary}--\r\n"
    ).encode()

    async def view(request):
        Author.objects.create(name=request.POST["name"])
        return HttpResponse(request.FILES["file"].read())

    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    response = await serve({"": view}).request("/", "POST", [body[:50], body[50:]], headers)
    assert (response.text, await Author.objects.acount()) == ("notes", 1)


GZIP = ("django.middleware.gzip.GZipMiddleware",)


@pytest.mark.parametrize("kind", ["whole", "sync", "async"])
async def test_the_middleware_that_compresses_does_so_with_every_kind_of_body(serve, kind):
    await create_authors(100)

    def synchronous():
        for author in Author.objects.order_by("name"):
            yield f"{author.name} "

    async def view(request):
        if kind == "whole":
            return HttpResponse("".join(synchronous()))
        return StreamingHttpResponse(synchronous() if kind == "sync" else all_names())

    client = serve({"": view}, middleware=GZIP)
    response = await client.get("/", {"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.body).decode() == "".join(f"{n:04} " for n in range(100))
