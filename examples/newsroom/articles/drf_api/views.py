"""Viewsets: DRF's own, synchronous and asynchronous methods side by side."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import Count

from turbo_orm import on_commit
from turbo_orm_drf.decorators import action
from turbo_orm_drf.filters import OrderingFilter, SearchFilter
from turbo_orm_drf.mixins import AutoOptimizeMixin, StreamingListMixin
from turbo_orm_drf.pagination import PageNumberPagination
from turbo_orm_drf.permissions import BasePermission, IsAuthenticatedOrReadOnly
from turbo_orm_drf.request import Request
from turbo_orm_drf.response import Response
from turbo_orm_drf.throttling import AnonRateThrottle
from turbo_orm_drf.viewsets import ModelViewSet, ReadOnlyModelViewSet

from ..models import Article, Author, Tag
from .serializers import ArticleSerializer, ArticleWhole, AuthorSerializer, TagSerializer

logger = logging.getLogger(__name__)


class Pages(PageNumberPagination):
    """Twenty to a page; nobody turns to the ten-thousandth article."""

    page_size = 20
    page_size_query_param = "size"
    max_page_size = 100
    counted = 10_000


class OftenEnough(AnonRateThrottle):
    """What strangers may ask."""

    rate = "1000/min"


class KeepsArchive(BasePermission):
    """What people have commented on is not taken away."""

    message = "Readers have commented on this article."

    async def has_object_permission(self, request: Request, view: Any, obj: Article) -> bool:
        """Tell whether a request may do to an article what it asks for.

        Args:
            request: DRF's request.
            view: the viewset.
            obj: the article.
        """
        return request.method != "DELETE" or not await obj.comments.aexists()


class ArticleViewSet(StreamingListMixin, AutoOptimizeMixin, ModelViewSet):
    """Articles: a page of them, or all as JSON lines; to be added, changed and taken away."""

    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    pagination_class = Pages
    permission_classes = (IsAuthenticatedOrReadOnly & KeepsArchive,)
    throttle_classes = (OftenEnough,)
    filter_backends = (SearchFilter, OrderingFilter)
    search_fields = ("title", "author__name")
    ordering_fields = ("published_at", "title", "author__name")
    lookup_field = "slug"

    def get_queryset(self) -> Any:
        """Return what is out by now, which a class attribute could not say."""
        return super().get_queryset().published()

    def get_serializer_class(self) -> Any:
        """Show more of a single article."""
        return ArticleWhole if self.action == "retrieve" else ArticleSerializer

    def perform_create(self, serializer: Any) -> None:
        """Add an article with its tags, or nothing at all.

        Args:
            serializer: with valid data.
        """
        with transaction.atomic():
            article = serializer.save()
            transaction.on_commit(lambda: logger.info("article %s is in", article.pk))

    async def perform_update(self, serializer: Any) -> None:
        """Change an article, and say so once that is certain.

        Args:
            serializer: with valid data.
        """
        article = await serializer.asave()
        await on_commit(lambda: logger.info("article %s is changed", article.pk))

    @action(detail=True)
    async def related(self, request: Request, slug: str) -> Response:
        """List what else is about the same.

        Args:
            request: DRF's request.
            slug: names the article.
        """
        article = self.get_object()
        tags = [tag async for tag in article.tags.all()]
        found = Article.objects.published().filter(tags__in=tags).exclude(pk=article.pk)
        rows = ArticleSerializer(found.with_relations().distinct()[:5], many=True)
        return Response(await rows.adata())


class AuthorViewSet(AutoOptimizeMixin, ReadOnlyModelViewSet):
    """Authors, by name."""

    queryset = Author.objects.all()
    serializer_class = AuthorSerializer

    @action(detail=False)
    def busiest(self, request: Request) -> Response:
        """Rank authors by how much they have written.

        Args:
            request: DRF's request.
        """
        ranked = Author.objects.annotate(written=Count("articles")).order_by("-written", "name")
        return Response(list(ranked.values("name", "written")[:5]))


class TagViewSet(AutoOptimizeMixin, ModelViewSet):
    """Tags, by name."""

    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    permission_classes = (IsAuthenticatedOrReadOnly,)
