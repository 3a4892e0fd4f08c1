"""Optimised views answer as stock DRF's: the same response and rows, and never more queries."""

import asyncio
import functools
import logging

import pytest
from django.test import override_settings
from django.urls import path
from rest_framework import pagination as pagination_of_drf
from rest_framework.relations import HyperlinkedIdentityField, HyperlinkedRelatedField
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from tests.drf.judged import OPTIMISED, STOCK, answer, request
from tests.fetching import fill
from tests.testapp.models import Article, Author, Tag
from turbo_orm import AsyncManager
from turbo_orm_drf import serializers
from turbo_orm_drf.learning import looks_at_request

pytestmark = pytest.mark.rolled_back

CALLS = []


def called(function):
    """Note each call of a method of the project's."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        CALLS.append(function.__qualname__)
        return function(*args, **kwargs)

    return call


def model_serializer(base, model, *names, **attributes):
    meta = type("Meta", (), {"model": model, "fields": list(names)})
    return type("S", (base.ModelSerializer,), {"Meta": meta, **attributes})


def deep(base):
    author = model_serializer(base, Author, "name", "articles")()
    tags = model_serializer(base, Tag, "name")(many=True)
    return model_serializer(base, Article, "title", "author", "tags", author=author, tags=tags)


def viewset(flavour, kind=None, **attributes):
    named = {"queryset": Article.objects.order_by("pk"), "serializer_class": kind, **attributes}
    return type("V", (*flavour.mixins, flavour.viewsets.ModelViewSet), named)


SHAPES = {}


def shape(function):
    SHAPES[function.__name__.replace("_", " ")] = function
    return function


@shape
def everything_declared(flavour):
    return viewset(flavour, deep(flavour.serializers))


@shape
def pages(flavour):
    pages = type("P", (pagination_of_drf.PageNumberPagination,), {"page_size": 2})
    return viewset(flavour, deep(flavour.serializers), pagination_class=pages)


@shape
def a_nested_serializer_that_asks_the_request(flavour):
    base = flavour.serializers

    class Asking(base.ModelSerializer):
        class Meta:
            model = Author
            fields = ["name", "articles"]

        @called
        def get_fields(self):
            fields = super().get_fields()
            if "short" in self.context["request"].query_params:
                fields.pop("articles")
            return fields

    kind = model_serializer(base, Article, "title", "author", author=Asking())
    pages = type("P", (pagination_of_drf.PageNumberPagination,), {"page_size": 2})
    return viewset(flavour, kind, pagination_class=pages)


@shape
def a_serializer_whose_fields_query(flavour):
    base = flavour.serializers

    class Querying(base.ModelSerializer):
        class Meta:
            model = Article
            fields = ["title", "author", "tags"]

        @called
        def get_fields(self):
            fields = super().get_fields()
            fields["title"].help_text = str(Tag.objects.count())
            return fields

    return viewset(flavour, Querying)


@shape
def a_plain_base_serializer(flavour):
    class Plain(flavour.serializers.BaseSerializer):
        def to_representation(self, instance):
            return {"title": instance.title, "author": instance.author.name}

        def to_internal_value(self, data):
            return data

        def update(self, instance, data):
            return instance

        def create(self, data):
            return Article.objects.earliest("pk")

    return viewset(flavour, Plain)


@shape
def a_serializer_class_that_the_object_decides(flavour):
    kind = deep(flavour.serializers)

    @called
    def get_serializer_class(self):
        if "pk" in self.kwargs:
            self.get_object()
        return kind

    return viewset(flavour, get_serializer_class=get_serializer_class)


@shape
def a_serializer_class_that_the_instance_decides(flavour):
    short, long = model_serializer(flavour.serializers, Article, "title"), deep(flavour.serializers)

    @called
    def get_serializer_class(self):
        return short if self.instance and self.instance.views else long

    def get_object(self):
        self.instance = super(kind, self).get_object()
        return self.instance

    def get_queryset(self):
        if "pk" not in self.kwargs:
            self.instance = Article.objects.first()
        return Article.objects.order_by("pk")

    kind = viewset(
        flavour,
        get_serializer_class=get_serializer_class,
        get_object=get_object,
        get_queryset=get_queryset,
    )
    return kind


@shape
def a_serializer_class_that_counts(flavour):
    kind = deep(flavour.serializers)

    @called
    def get_serializer_class(self):
        Tag.objects.count()
        return kind

    return viewset(flavour, get_serializer_class=get_serializer_class)


@shape
def links_of_its_own(flavour):
    base = flavour.serializers

    class Slug(HyperlinkedIdentityField):
        def get_url(self, obj, *args):
            return f"/{obj.title}/{obj.views}/{obj.author.name}"

    class Beyond(HyperlinkedRelatedField):
        lookup_field = "name"

        def get_url(self, obj, *args):
            return f"/{obj.name}/{obj.age}"

    return viewset(
        flavour,
        model_serializer(
            base,
            Article,
            *("link", "author", "tags"),
            link=Slug(view_name="x"),
            author=Beyond(view_name="x", read_only=True),
            tags=HyperlinkedRelatedField(
                view_name="tag", lookup_field="name", many=True, read_only=True
            ),
        ),
    )


class ReadingPages(pagination_of_drf.PageNumberPagination):
    page_size = 3

    def paginate_queryset(self, queryset, request, view=None):
        rows = super().paginate_queryset(queryset, request, view)
        self.views = [row.metadata for row in rows]
        return rows[:1]

    def get_paginated_response(self, data):
        return Response({"results": data, "views": self.views})


class EmptyPages(ReadingPages):
    def paginate_queryset(self, queryset, request, view=None):
        return super().paginate_queryset(queryset, request, view)[:0]


class ToldPages(pagination_of_drf.PageNumberPagination):
    page_size = 3

    def get_paginated_response(self, data):
        return Response({"results": data, "views": [row.metadata for row in self.page]})


@shape
def a_paginator_that_reads_rows(flavour):
    return viewset(flavour, deep(flavour.serializers), pagination_class=ReadingPages)


@shape
def a_paginator_that_drops_all_rows(flavour):
    return viewset(flavour, deep(flavour.serializers), pagination_class=EmptyPages)


@shape
def a_paginator_that_reads_rows_afterwards(flavour):
    return viewset(flavour, deep(flavour.serializers), pagination_class=ToldPages)


@shape
def a_manager_behind_a_source(flavour):
    base = flavour.serializers
    kind = model_serializer(
        base,
        Article,
        *("title", "labels", "first"),
        labels=base.IntegerField(source="tags.count"),
        first=base.CharField(source="tags.first.name"),
    )
    return viewset(flavour, kind)


@shape
def a_representation_that_reads_nothing(flavour):
    base = flavour.serializers

    class Short(deep(base)):
        def to_representation(self, instance):
            if instance.views == 0:
                return {"pk": "hidden"}
            return super().to_representation(instance)

    class List(base.ListSerializer):
        def to_representation(self, data):
            rows = data if isinstance(data, list) else data.all()
            return [row.title for row in rows.filter(views=0)] if rows is not data else []

    author = model_serializer(
        base,
        Author,
        *("name", "articles"),
        articles=List(child=Short()),
    )
    return viewset(flavour, model_serializer(base, Article, "title", "author", author=author()))


@shape
def a_representation_that_is_extended(flavour):
    class Extended(deep(flavour.serializers)):
        def to_representation(self, instance):
            return {**super().to_representation(instance), "more": instance.metadata}

    return viewset(flavour, Extended)


@shape
def rows_that_the_view_reads_again(flavour):
    def list_(self, request):
        rows = self.filter_queryset(self.get_queryset())
        data = self.get_serializer(rows, many=True).data
        return Response({"rows": data, "more": [row.metadata for row in rows], "n": len(rows)})

    return viewset(flavour, deep(flavour.serializers), list=list_)


@shape
def rows_that_the_view_keeps(flavour):
    def filter_queryset(self, queryset):
        self.kept = super(kind, self).filter_queryset(queryset)
        return self.kept

    def finalize_response(self, request, response, *args, **kwargs):
        if hasattr(self, "kept") and self.action == "list":
            response["X-Rows"] = str([row.metadata for row in self.kept])
        return super(kind, self).finalize_response(request, response, *args, **kwargs)

    kind = viewset(
        flavour,
        deep(flavour.serializers),
        filter_queryset=filter_queryset,
        finalize_response=finalize_response,
    )
    return kind


@shape
def an_object_that_is_represented_twice(flavour):
    def retrieve(self, request, pk):
        article = self.get_object()
        before = self.get_serializer(article).data
        Article.tags.through.objects.filter(article=article).delete()
        Article.objects.exclude(pk=article.pk).update(author=article.author)
        return Response([before, self.get_serializer(article).data])

    return viewset(flavour, deep(flavour.serializers), retrieve=retrieve)


@shape
def a_renderer_that_reads_the_rows(flavour):
    class Reading(JSONRenderer):
        def render(self, data, *args, **kwargs):
            rows = getattr(getattr(data, "serializer", None), "instance", None)
            if isinstance(rows, list):
                data = [row.metadata for row in rows]
            return super().render(data, *args, **kwargs)

    pages = type("P", (pagination_of_drf.PageNumberPagination,), {"page_size": 2})
    pages.get_paginated_response = lambda self, data: Response(data)
    return viewset(
        flavour,
        deep(flavour.serializers),
        renderer_classes=[Reading],
        pagination_class=pages,
    )


@shape
def a_permission_that_refuses(flavour):
    def check_object_permissions(self, request, obj):
        self.permission_denied(request)

    return viewset(
        flavour, deep(flavour.serializers), check_object_permissions=check_object_permissions
    )


def requests(first):
    """Return what is asked of each view."""
    body = {"title": "new", "author": {"name": "x", "articles": []}, "tags": []}
    return [
        ("list", {"get": "list"}, request(), {}),
        ("short list", {"get": "list"}, request(query="?short=1"), {}),
        ("detail", {"get": "retrieve"}, request(), {"pk": first}),
        ("missing", {"get": "retrieve"}, request(), {"pk": 0}),
        (
            "changed",
            {"patch": "partial_update"},
            request("patch", data={"title": "n"}),
            {"pk": first},
        ),
        ("created", {"post": "create"}, request("post", data=body), {}),
        ("deleted", {"delete": "destroy"}, request("delete"), {"pk": first}),
    ]


def named(request, **kwargs):
    raise AssertionError(kwargs)


URLS = (path("tags/<str:name>/", named, name="tag"),)


async def judged(made, flavour, asked):
    """Return all answers of a view, and the calls of the project's own methods."""
    answers = {}
    view = made(flavour)
    for label, actions, one, kwargs in asked:
        CALLS.clear()
        found = await answer(view.as_view(actions), one, urls=URLS, **kwargs)
        answers[label] = (found, sorted(CALLS))
    return answers


async def assert_judged(made, asked):
    expected = await judged(made, STOCK, asked())
    found = await judged(made, OPTIMISED, asked())
    for label, (theirs, calls) in expected.items():
        ours, own_calls = found[label]
        assert (label, ours.seen, ours.rows) == (label, theirs.seen, theirs.rows)
        assert (label, own_calls) == (label, calls)
        assert ("list" not in label) or theirs.seen[0] == 200
        assert len(ours.statements) <= len(theirs.statements), (label, ours.statements)


@pytest.mark.parametrize("name", SHAPES)
async def test_a_shape_is_answered_as_by_stock_drf_with_no_more_queries(name):
    await assert_judged(SHAPES[name], lambda: requests(0)[:1])
    await fill(4)
    await Article.objects.filter(title__gte="title2").aupdate(views=3)
    first = await Article.objects.values_list("pk", flat=True).afirst()

    await assert_judged(SHAPES[name], lambda: requests(first))


# What the default manager of tags finds.
MANAGERS = {
    "some": lambda rows: rows.exclude(name="tag1").order_by("pk"),
    # The related manager of one article joins its articles once more, so each tag comes back for
    # each of them; prefetching shares the join.
    "joined": lambda rows: rows.filter(articles__views__gte=0).order_by("pk"),
    "related": lambda rows: rows.order_by("articles__views", "pk"),
}


@pytest.mark.parametrize("found", MANAGERS)
async def test_related_managers_find_what_they_find_for_stock_drf(found, monkeypatch):
    original = AsyncManager.get_queryset

    def get_queryset(self):
        rows = original(self)
        return MANAGERS[found](rows) if self.model is Tag else rows

    await fill(4)
    monkeypatch.setattr(AsyncManager, "get_queryset", get_queryset)
    await assert_judged(SHAPES["everything declared"], lambda: requests(0)[:1])
    await assert_judged(SHAPES["a representation that is extended"], lambda: requests(0)[:1])


async def test_relations_of_a_page_are_fetched_together_where_nothing_was_known_before():
    await fill(4)
    made = SHAPES["a nested serializer that asks the request"]

    theirs, ours = [
        await answer(made(flavour).as_view({"get": "list"}), request(), urls=URLS)
        for flavour in (STOCK, OPTIMISED)
    ]

    assert ours.seen == theirs.seen
    assert len(ours.statements) < len(theirs.statements)


REASONS = {
    "a serializer class that counts": "get_serializer_class() may look at more than the request",
    "a paginator that reads rows": "the paginator has methods of its own that see the rows",
    "a nested serializer that asks the request": "the serializer's fields are made by code of its",
    "rows that the view reads again": None,
    "everything declared": None,
}


@pytest.mark.parametrize("name", REASONS)
async def test_the_debug_log_says_why_a_view_is_not_optimised_beforehand(name, caplog):
    await fill(2)
    pages = type("P", (pagination_of_drf.PageNumberPagination,), {"page_size": 2})
    view = SHAPES[name](OPTIMISED)
    view.pagination_class = view.pagination_class or pages

    with caplog.at_level(logging.DEBUG, "turbo_orm_drf"):
        await answer(view.as_view({"get": "list"}), request())

    reasons = [record.getMessage() for record in caplog.records]
    assert len(reasons) == (REASONS[name] is not None)
    assert all(REASONS[name] in reason for reason in reasons)


async def test_pages_are_fetched_for_what_meta_says_now():
    await fill(3)
    pages = type("P", (pagination_of_drf.PageNumberPagination,), {"page_size": 3})
    view = viewset(OPTIMISED, deep(OPTIMISED.serializers), pagination_class=pages)
    meta = view.serializer_class.Meta
    taken = []
    for change in (lambda: None, lambda: meta.fields.append("editor"), lambda: meta.fields.pop()):
        change()
        found = await answer(view.as_view({"get": "list"}), request())
        taken.append(
            ('"metadata"' in str(found.statements), '"editor_id"' in str(found.statements))
        )
        assert len(found.data["results"]) == 3

    assert taken == [(False, False), (False, True), (False, False)]


LOOKING = {
    "by action": (lambda view: Short if view.action == "list" else Long, True),
    "by request": (lambda view: Long if view.request.query_params.get("long") else Short, True),
    "by a table": (lambda view: view.kinds.get(view.action, Short), True),
    "by method": (lambda view: Long if view.request.method in SAFE else Short, True),
    "by the object": (lambda view: Long if view.get_object() else Short, False),
    "by the instance": (lambda view: Long if view.instance else Short, False),
    "by a query": (lambda view: Long if Tag.objects.exists() else Short, False),
    "by a setting of the class": (lambda view: view.chosen, False),
    "by a user": (lambda view: Long if view.request.user.is_staff else Short, False),
}
SAFE = ("GET", "HEAD")


class Short(serializers.Serializer):
    pass


class Long(Short):
    pass


class Looked:
    kinds = {"list": Long}
    chosen = property(lambda self: Short)


@pytest.mark.parametrize("name", LOOKING)
def test_a_method_that_looks_at_nothing_but_the_request_is_told_from_others(name):
    function, harmless = LOOKING[name]

    assert looks_at_request(function, Looked) is harmless


async def test_thirty_requests_at_once_are_each_answered_for_their_own():
    await fill(4)
    made = SHAPES["a nested serializer that asks the request"]
    short, long = request(query="?short=1"), request()
    expected = [
        (await answer(made(STOCK).as_view({"get": "list"}), one)).seen for one in (short, long)
    ]
    view = made(OPTIMISED).as_view({"get": "list"})

    async def ask(number):
        response = await view(short if number % 2 == 0 else long)
        return response.status_code, response.rendered_content.decode()

    with override_settings(ALLOWED_HOSTS=["testserver"]):
        assert await asyncio.gather(*map(ask, range(30))) == expected * 15
