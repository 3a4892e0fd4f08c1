"""Stock Ninja with synchronous views, which Django runs in threads."""

from typing import Any

from django.http import HttpRequest
from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article
from ninja import NinjaAPI

from .schemas import ArticleOut, Plain

api = NinjaAPI()


@api.get("/article/{key}", response=Plain)
def article(request: HttpRequest, key: int) -> Any:
    """Fetch one row by primary key."""
    return Article.objects.get(pk=key)


@api.get("/author/{author}", response=list[ArticleOut])
def articles(request: HttpRequest, author: int) -> Any:
    """Fetch an author's newest articles with everything around them."""
    return (
        Article.objects.filter(author_id=author)
        .select_related("author")
        .prefetch_related("tags")
        .order_by("-created")[:LIST_LENGTH]
    )


urlpatterns = [path("", api.urls)]
