"""Stock Ninja with asynchronous views, which prefetch by hand all that is serialised."""

from typing import Any

from django.http import HttpRequest
from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article
from ninja import NinjaAPI

from .schemas import ArticleOut, Plain

api = NinjaAPI()


@api.get("/article/{key}", response=Plain)
async def article(request: HttpRequest, key: int) -> Any:
    """Fetch one row by primary key."""
    return await Article.objects.aget(pk=key)


@api.get("/author/{author}", response=list[ArticleOut])
async def articles(request: HttpRequest, author: int) -> Any:
    """Fetch an author's newest articles with everything around them."""
    newest = (
        Article.objects.filter(author_id=author)
        .select_related("author")
        .prefetch_related("tags")
        .order_by("-created")[:LIST_LENGTH]
    )
    return [article async for article in newest]


urlpatterns = [path("", api.urls)]
