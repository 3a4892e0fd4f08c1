"""The newsroom's tables. Each manager is Turbo ORM's, so each query can be awaited."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.text import slugify

from turbo_orm import AsyncManager, AsyncModel, AsyncQuerySet


class Author(AsyncModel):
    """Who writes articles."""

    name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)

    objects = AsyncManager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Tag(AsyncModel):
    """What an article is about."""

    name = models.CharField(max_length=50, unique=True)

    objects = AsyncManager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Comment(AsyncModel):
    """A remark on any object of the project."""

    author_name = models.CharField(max_length=100)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    target = GenericForeignKey("content_type", "object_id")

    objects = AsyncManager()

    class Meta:
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=["content_type", "object_id"], name="comment_target"),)

    def __str__(self) -> str:
        return f"{self.author_name}: {self.text[:40]}"


class ArticleQuerySet(AsyncQuerySet["Article"]):
    """What one asks of articles again and again."""

    def published(self) -> ArticleQuerySet:
        """Keep what readers may see."""
        return self.filter(is_published=True, published_at__lte=timezone.now())

    def with_relations(self) -> ArticleQuerySet:
        """Fetch author and tags along, in two queries however many articles there are."""
        return self.select_related("author").prefetch_related("tags")


class Article(AsyncModel):
    """What the newsroom is there for."""

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220, unique=True, blank=True)
    body = models.TextField(blank=True)
    is_published = models.BooleanField(default=True)
    published_at = models.DateTimeField(default=timezone.now)
    metadata = models.JSONField(default=dict, blank=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="articles")
    tags = models.ManyToManyField(Tag, related_name="articles", blank=True)
    comments = GenericRelation(Comment, related_query_name="article")

    objects = AsyncManager.from_queryset(ArticleQuerySet)()

    class Meta:
        ordering = ("-published_at", "-id")
        indexes = (models.Index(fields=["is_published", "-published_at"], name="article_newest"),)

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Give a new article a slug of its own; `asave()` and `acreate()` come through here too."""
        if not self.slug:
            self.slug = f"{slugify(self.title)[:200]}-{uuid4().hex[:8]}"
        super().save(*args, **kwargs)
