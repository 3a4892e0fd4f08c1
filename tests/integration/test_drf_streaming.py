"""Rows that are sent while they are read."""

import asyncio
import gc
import json
import tracemalloc

import django
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import RequestFactory
from django.urls import path
from rest_framework.response import Response

from tests.drf.rows import in_order
from tests.ninja.helpers import counted, fill
from tests.testapp.models import Article, Author, Tag
from tests.waiting import until
from turbo_orm import pool_stats
from turbo_orm.asgi import TurboASGIHandler
from turbo_orm_drf import generics, routers, serializers, views, viewsets
from turbo_orm_drf.decorators import action
from turbo_orm_drf.mixins import AutoOptimizeMixin, StreamingListMixin
from turbo_orm_drf.pagination import PageNumberPagination
from turbo_orm_drf.renderers import EventStreamRenderer, JSONLinesRenderer, ServerSentEvent
from turbo_orm_drf.streaming import StreamingResponse


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["name"]


class AuthorSerializer(serializers.ModelSerializer):
    class Meta:
        model = Author
        fields = ["name"]


class ArticleSerializer(serializers.ModelSerializer):
    author = AuthorSerializer()
    tags = TagSerializer(many=True)

    class Meta:
        model = Article
        fields = ["id", "title", "author", "tags"]


class Pages(PageNumberPagination):
    page_size = 1


class Articles(StreamingListMixin, AutoOptimizeMixin, viewsets.ModelViewSet):
    queryset = Article.objects.order_by("pk")
    serializer_class = ArticleSerializer
    pagination_class = Pages

    @action(detail=False)
    async def titles(self, request):
        return StreamingResponse(title async for title in found())


async def found():
    async for article in Article.objects.order_by("pk").aiterator():
        yield article.title


router = routers.SimpleRouter()
router.register("articles", Articles)
LINES = {"accept": "application/jsonl"}
TAGS = [{"name": f"tag{n}"} for n in range(3)]
ROWS = [
    {"id": 1, "title": "title0", "author": {"name": "author0"}, "tags": TAGS},
    {"id": 2, "title": "title1", "author": {"name": "author1"}, "tags": TAGS},
]


def lines(response):
    return [in_order(json.loads(line)) for line in response.text.splitlines()]


@pytest.mark.parametrize("headers", [LINES, {}])
async def test_a_list_is_streamed_as_json_lines_on_request(serve, headers):
    await fill(0, 2)
    client = serve(router.urls)
    path = "/articles/" if headers else "/articles/?format=jsonl"

    response = await client.get(path, headers)

    assert response["Content-Type"] == "application/jsonl; charset=utf-8"
    assert lines(response) == ROWS


async def test_what_asks_for_json_gets_pages(serve):
    await fill(0, 2)

    response = await serve(router.urls).get("/articles/", {"accept": "application/json"})

    assert in_order(json.loads(response.text)["results"]) == ROWS[:1]


async def test_one_object_and_errors_are_lines_too(serve):
    await fill(0, 1)
    client = serve(router.urls)

    one = await client.get("/articles/1/", LINES)
    missing = await client.get("/articles/9/", LINES)

    assert lines(one) == ROWS[:1]
    assert (missing.status, [set(line) for line in lines(missing)]) == (404, [{"detail"}])


async def test_a_stream_is_optimised_by_its_serializer(serve):
    await fill(0, 4)
    client = serve(router.urls)

    with counted() as statements:
        response = await client.get("/articles/", LINES)

    assert (len(lines(response)), len(statements)) == (4, 2)
    assert '"metadata"' not in statements[0]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_a_streamed_array_is_that_of_a_list(serve, count):
    class Titles(generics.ListAPIView):
        queryset = Article.objects.order_by("pk")
        serializer_class = type(
            "Title", (serializers.Serializer,), {"title": serializers.CharField()}
        )

    class Streamed(StreamingListMixin, Titles):
        streams_json = True

    author = await Author.objects.acreate(name="ada")
    titles = [f"tïtle{n}\u2028" for n in range(count)]
    await Article.objects.abulk_create([Article(title=t, author=author) for t in titles])
    client = serve({"list/": Titles.as_view(), "stream/": Streamed.as_view()})

    listed = await client.get("/list/")
    streamed = await client.get("/stream/")

    assert (streamed.body, streamed["Content-Type"]) == (listed.body, "application/json")
    assert len(streamed.pieces) == -(-count // 100) + 1


WAYS = {
    "queryset": lambda: Tag.objects.order_by("name"),
    "manager": lambda: Tag.objects,
    "list": lambda: [Tag(name="a"), Tag(name="b")],
    "iterator": lambda: Tag.objects.order_by("name").aiterator(),
    "awaitable": lambda: Tag.objects.order_by("name").alist(),
    "generator": lambda: (tag for tag in [Tag(name="a"), Tag(name="b")]),
}


@pytest.mark.parametrize("way", WAYS)
async def test_anything_with_rows_can_be_streamed(serve, way):
    class Tags(views.APIView):
        renderer_classes = [JSONLinesRenderer]

        def get(self, request):
            return StreamingResponse(
                WAYS[way](), TagSerializer, status=202, headers={"X-Rows": "many"}
            )

    await Tag.objects.abulk_create([Tag(name="a"), Tag(name="b")])

    response = await serve({"x/": Tags.as_view()}).get("/x/")

    assert (response.status, response["X-Rows"]) == (202, "many")
    assert lines(response) == [{"name": "a"}, {"name": "b"}]


async def test_a_generator_of_an_action_is_sent_item_by_item(serve):
    await fill(0, 3)

    response = await serve(router.urls).get("/articles/titles/", LINES)

    assert response.pieces == [b'"title0"\n', b'"title1"\n', b'"title2"\n']


async def test_events_are_sent_as_they_come(serve):
    class Events(views.APIView):
        renderer_classes = [EventStreamRenderer]

        async def get(self, request):
            return StreamingResponse(self.events())

        async def events(self):
            yield {"tags": await Tag.objects.acount()}
            await arrived.wait()
            yield ServerSentEvent({"a": "ü"}, event="more", id="7", retry=100)
            yield ServerSentEvent(comment="still here")
            yield None

    arrived = asyncio.Event()
    exchange = serve({"x/": Events.as_view()}).begin("/x/", headers={"accept": "text/event-stream"})
    start = await exchange.next_message()
    first = await exchange.next_message()
    arrived.set()
    response = await exchange.response()

    assert dict(start["headers"])[b"Content-Type"] == b"text/event-stream; charset=utf-8"
    assert dict(start["headers"])[b"Cache-Control"] == b"no-cache"
    assert first["body"] == b'data: {"tags":0}\n\n'
    assert response.pieces[1:] == [
        'event: more\nid: 7\nretry: 100\ndata: {"a":"ü"}\n\n'.encode(),
        b": still here\n\n",
        b"data: null\n\n",
    ]


@pytest.mark.parametrize("field", ["event", "id", "comment"])
def test_an_event_does_not_let_a_line_be_smuggled_in(field):
    with pytest.raises(ValueError, match=f"The {field} of a server-sent event is one line"):
        EventStreamRenderer().encode(ServerSentEvent("x", **{field: "a\ndata: b"}))


async def test_what_is_not_a_stream_can_be_rendered_as_events(serve):
    class Plain(views.APIView):
        renderer_classes = [EventStreamRenderer]

        def get(self, request):
            return Response([1, {"a": 2}])

    response = await serve({"x/": Plain.as_view()}).get("/x/")

    assert response.text == 'data: 1\n\ndata: {"a":2}\n\n'


async def wide(count):
    author = await Author.objects.acreate(name="ada")
    await Article.objects.abulk_create(
        [
            Article(title=f"title{n}", author=author, metadata={"text": "x" * 2000})
            for n in range(count)
        ]
    )


class Wide(StreamingListMixin, generics.ListAPIView):
    queryset = Article.objects.order_by("pk")
    serializer_class = type(
        "Meta", (serializers.Serializer,), {"metadata": serializers.JSONField()}
    )
    streams_json = True


FORMATS = pytest.mark.parametrize("query", ["", "?format=jsonl"], ids=["array", "lines"])


@FORMATS
async def test_memory_does_not_grow_with_the_rows(serve, query):
    client = serve({"x/": Wide.as_view()})
    handler = client.application

    async def peak():
        size = 0

        async def weigh(message):
            nonlocal size
            size += len(message.get("body", b""))

        async def application(scope, receive, send):
            await handler(scope, receive, weigh)

        client.application = application
        tracemalloc.start()
        try:
            await client.begin(f"/x/{query}").task
            return size, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await wide(200)
    await peak()
    small, before = await peak()
    await wide(1800)
    large, after = await peak()

    assert large > 9 * small
    assert after < 2 * before


# Before 5.0 Django's own handler does not notice that a client has left.
HANDLERS = [TurboASGIHandler, *([ASGIHandler] if django.VERSION >= (5, 0) else [])]


@FORMATS
@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.needs_thread("Django's own handler closes responses in one")
async def test_a_client_that_leaves_gives_the_connection_back(serve, handler, query, at_rest):
    async def to_a_slow_client(scope, receive, send):
        async def slow(message):
            await send(message)
            if message.get("body"):
                await asyncio.Event().wait()

        await handler()(scope, receive, slow)

    await wide(500)
    client = serve({"x/": Wide.as_view()}, middleware=[])
    client.application = to_a_slow_client
    gc.disable()
    try:
        exchange = client.begin(f"/x/{query}")
        await exchange.next_message()
        await exchange.next_message()
        assert pool_stats().idle < pool_stats().size
        await exchange.gone()
        # Closed from Django's thread, it ends on the loop.
        await until(lambda: pool_stats().idle == pool_stats().size)
    finally:
        gc.enable()


def test_a_stream_renderer_must_say_how_a_row_is_sent():
    from turbo_orm_drf.renderers import StreamRenderer

    with pytest.raises(NotImplementedError, match="Nothing must define encode"):
        type("Nothing", (StreamRenderer,), {})().render({})


def test_routes_are_as_ever():
    names = {pattern.name for pattern in router.urls}

    assert names == {"article-list", "article-titles", "article-detail"}
    assert path("x/", Articles.as_view({"get": "list"})).callback.actions == {"get": "list"}


def test_a_view_that_is_called_without_a_loop_may_make_a_stream():
    class Lines(views.APIView):
        def get(self, request):
            return StreamingResponse([{"line": 1}])

    async def read(response):
        pieces = [piece async for piece in response]
        response.close()
        return b"".join(pieces)

    unread = Lines().dispatch(RequestFactory().get("/"))
    response = Lines().dispatch(RequestFactory().get("/"))
    unread.close()

    assert asyncio.run(read(response)) == b'[{"line":1}]'
