"""Articles: a CRUD router, written out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

from django.http import HttpRequest
from ninja.responses import Status
from ninja.security import django_auth
from ninja.throttling import AnonRateThrottle

from ninja import JSONL, Query, Router
from turbo_orm import on_commit
from turbo_orm_ninja import atomic_operation
from turbo_orm_ninja.filters import ordering, search
from turbo_orm_ninja.pagination import LimitOffsetPagination, paginate

from ..models import Article, Tag
from .schemas import ArticleFilter, ArticleIn, ArticleOut, ArticleWhole, Heading

logger = logging.getLogger(__name__)
router = Router(tags=["articles"])
COUNTED_AT_MOST = 10_000

Ordering = ordering("published_at", "title", "author__name", default="-published_at")
Search = search("title", "author__name")


@router.get("/", response=list[ArticleOut])
@paginate(LimitOffsetPagination, count=COUNTED_AT_MOST)
async def listed(
    request: HttpRequest,
    filters: Query[ArticleFilter],
    order: Query[Ordering],  # type: ignore[valid-type]
    words: Query[Search],  # type: ignore[valid-type]
) -> Any:
    """List published articles; author and tags come along because the schema names them."""
    found = filters.filter(Article.objects.published())
    return words.filter(order.sort(found))  # type: ignore[attr-defined]


@router.get("/export", response=JSONL[Heading])
async def export(request: HttpRequest) -> AsyncIterator[Article]:
    """Send every article, line by line, from a server-side cursor."""
    return Article.objects.order_by("pk").aiterator()


@router.get("/{slug}", response=ArticleWhole, throttle=AnonRateThrottle("1000/m"))
async def one(request: HttpRequest, slug: str) -> Article:
    """Show an article; one that is missing is answered with 404 by the API's handler."""
    return await Article.objects.published().aget(slug=slug)


@router.post("/", response={201: ArticleWhole}, auth=django_auth)
@atomic_operation()
async def create(request: HttpRequest, data: ArticleIn) -> Any:
    """Add an article with its tags, or nothing at all."""
    article = await Article.objects.acreate(**data.dict(exclude={"tags"}))
    await put_tags(article, data.tags)
    await on_commit(lambda: logger.info("article %s is in", article.pk))
    return Status(201, article)


@router.put("/{slug}", response=ArticleWhole, auth=django_auth)
@atomic_operation()
async def update(request: HttpRequest, slug: str, data: ArticleIn) -> Article:
    """Replace what an article says."""
    article = await Article.objects.select_for_update().aget(slug=slug)
    for name, value in data.dict(exclude={"tags"}).items():
        setattr(article, name, value)
    await article.asave()
    await put_tags(article, data.tags)
    return article


@router.delete("/{slug}", response={204: None}, auth=django_auth)
async def delete(request: HttpRequest, slug: str) -> Any:
    """Take an article away."""
    article = await Article.objects.aget(slug=slug)
    await article.adelete()
    return Status(204, None)


async def put_tags(article: Article, names: list[str]) -> None:
    """Give an article its tags; new ones are made."""
    await article.tags.aset([(await Tag.objects.aget_or_create(name=name))[0] for name in names])
