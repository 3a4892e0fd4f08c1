"""The serializers and viewsets, on the bases of one system or another."""

from __future__ import annotations

from typing import Any

from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article, Author
from benchmarks.tagged.models import Tag

from .models import Story


def serializers_on(base: Any) -> tuple[Any, Any, Any]:
    """Return the serializers: of an article by itself, of one with all around it, of a story.

    Args:
        base: a module that has a ``ModelSerializer``.
    """

    class AuthorOut(base.ModelSerializer):  # type: ignore[misc]
        class Meta:
            model = Author
            fields = ("id", "name")

    class TagOut(base.ModelSerializer):  # type: ignore[misc]
        class Meta:
            model = Tag
            fields = ("id", "name")

    class Plain(base.ModelSerializer):  # type: ignore[misc]
        class Meta:
            model = Article
            fields = ("id", "title", "views", "created")

    class Whole(base.ModelSerializer):  # type: ignore[misc]
        author = AuthorOut()
        tags = TagOut(many=True)

        class Meta:
            model = Article
            fields = ("id", "title", "views", "created", "author", "tags")

    class StoryIn(base.ModelSerializer):  # type: ignore[misc]
        class Meta:
            model = Story
            fields = ("id", "title", "author", "tags")

    return Plain, Whole, StoryIn


def urls_on(serializers: Any, viewset: Any, mixins: tuple[Any, ...] = (), prefix: str = "") -> Any:
    """Return the URL patterns.

    Args:
        serializers: a module that has a ``ModelSerializer``.
        viewset: the class of viewsets.
        mixins: go before it; without any, the list prefetches by hand what is serialized.
        prefix: of the actions' names.
    """
    plain, whole, story = serializers_on(serializers)

    class One(viewset):  # type: ignore[misc]
        queryset = Article.objects.all()
        serializer_class = plain

    class Newest(*mixins, viewset):  # type: ignore[misc]
        serializer_class = whole

        def get_queryset(self) -> Any:
            rows = Article.objects.filter(author_id=self.kwargs["author"])
            if not mixins:
                rows = rows.select_related("author").prefetch_related("tags")
            return rows.order_by("-created")

        def filter_queryset(self, queryset: Any) -> Any:
            return super().filter_queryset(queryset)[:LIST_LENGTH]

        async def afilter_queryset(self, queryset: Any) -> Any:
            """Filter under the name that it has in adrf."""
            return queryset[:LIST_LENGTH]

    class Stories(viewset):  # type: ignore[misc]
        queryset = Story.objects.all()
        serializer_class = story

    return [
        path("article/<int:pk>/", One.as_view({"get": f"{prefix}retrieve"})),
        path("author/<int:author>/", Newest.as_view({"get": f"{prefix}list"})),
        path("stories/", Stories.as_view({"post": f"{prefix}create"})),
    ]
