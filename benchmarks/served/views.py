"""The views: written as Django's documentation has asynchronous views written."""

from __future__ import annotations

import django
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article

# Before 5.0 Django has no coroutine for it, and documents this way.
AWAITABLE = django.VERSION >= (5, 0)


async def empty(request: HttpRequest) -> HttpResponse:
    """Touch nothing."""
    return HttpResponse("empty")


async def article(request: HttpRequest, key: int) -> HttpResponse:
    """Fetch one row by primary key."""
    found = await Article.objects.aget(pk=key)
    return HttpResponse(f"{found.pk}: {found.title}")


async def articles(request: HttpRequest, author: int) -> HttpResponse:
    """Fetch an author's newest articles and render them by a template."""
    newest = Article.objects.filter(author_id=author).order_by("-created")[:LIST_LENGTH]
    found = [article async for article in newest]
    return render(request, "served/articles.html", {"articles": found})


async def account(request: HttpRequest) -> HttpResponse:
    """Say who is logged in."""
    user = await (
        request.auser() if hasattr(request, "auser") else sync_to_async(get_user)(request)
    )
    return HttpResponse(f"logged in: {user.get_username()}")


urlpatterns = [
    path("empty/", empty),
    path("article/<int:key>/", article),
    path("author/<int:author>/", articles),
    path("account/", account),
]
