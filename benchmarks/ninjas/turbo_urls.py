"""Turbo ORM's adapter: asynchronous views that return querysets."""

from typing import Any

from django.http import HttpRequest
from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article
from turbo_orm_ninja import TurboNinjaAPI

from .schemas import ArticleOut, Plain

api = TurboNinjaAPI()


@api.get("/article/{key}", response=Plain)
async def article(request: HttpRequest, key: int) -> Any:
    """Fetch one row by primary key."""
    return await Article.objects.aget(pk=key)


@api.get("/author/{author}", response=list[ArticleOut])
async def articles(request: HttpRequest, author: int) -> Any:
    """Return an author's newest articles; what is around them follows from the schema."""
    return Article.objects.filter(author_id=author).order_by("-created")[:LIST_LENGTH]


urlpatterns = [path("", api.urls)]
