"""Async views: every query waits on the event loop, none goes to a thread."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from turbo_orm import atomic, on_commit, pool_stats

from .forms import ArticleForm
from .models import Article, Author, Comment, Tag

logger = logging.getLogger(__name__)

PAGE_SIZE = 20
MAX_PAGE = 10_000


def summary(article: Article) -> dict[str, Any]:
    """Return what a list shows; author and tags must have been fetched already."""
    return {
        "id": article.pk,
        "title": article.title,
        "slug": article.slug,
        "published_at": article.published_at,
        "author": {"id": article.author.pk, "name": article.author.name},
        "tags": [tag.name for tag in article.tags.all()],
    }


async def front_page(request: HttpRequest) -> HttpResponse:
    """Show the newest articles; the template fetches them, their authors and the user."""
    return render(
        request, "articles/front.html", {"articles": Article.objects.published()[:PAGE_SIZE]}
    )


# No CSRF token: an example on a loopback address. A real newsroom would ask who is writing.
@method_decorator(csrf_exempt, name="dispatch")
class ArticlesView(View):
    """All articles."""

    async def get(self, request: HttpRequest) -> HttpResponse:
        """List a page of published articles (``?page=``, ``?tag=``)."""
        page = page_number(request)
        found = Article.objects.published().with_relations()
        if tag := request.GET.get("tag"):
            found = found.filter(tags__name=tag)
        rows = await found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE].alist()
        return JsonResponse({"page": page, "articles": [summary(row) for row in rows]})

    async def post(self, request: HttpRequest) -> HttpResponse:
        """Create an article from a JSON object, together with its tags or not at all."""
        data = json_object(request)
        if data is None:
            return JsonResponse({"errors": {"__all__": ["Send a JSON object."]}}, status=400)
        form = ArticleForm(data)
        async with atomic():
            # Forms query while they validate and save: in a view on the bridge they just do.
            if not form.is_valid():
                return JsonResponse({"errors": form.errors}, status=400)
            created: Article = form.save()
            await on_commit(lambda: logger.info("article %s is in", created.pk))
        return JsonResponse({"id": created.pk, "slug": created.slug}, status=201)


def json_object(request: HttpRequest) -> dict[str, Any] | None:
    """Return the JSON object that was sent, None if it is anything else."""
    try:
        data = json.loads(request.body)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def page_number(request: HttpRequest) -> int:
    """Return the page asked for; there is none below 1."""
    try:
        page = int(request.GET.get("page", "1"))
    except ValueError:
        page = 0
    if not 1 <= page <= MAX_PAGE:
        raise Http404("No such page.")
    return page


class ArticleView(View):
    """One article."""

    async def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show one published article with its comments."""
        try:
            found = await Article.objects.published().with_relations().aget(slug=slug)
        except Article.DoesNotExist:
            raise Http404("No such article.") from None
        comments = await found.comments.values("author_name", "text", "created_at").alist()
        return JsonResponse(
            summary(found) | {"body": found.body, "metadata": found.metadata, "comments": comments}
        )


class StatsView(View):
    """What is in the newsroom, and how its pool does."""

    async def get(self, request: HttpRequest) -> HttpResponse:
        """Count everything at once, each count on a connection of its own."""
        models = (Author, Tag, Article, Comment)
        counts = await asyncio.gather(*(model.objects.acount() for model in models))
        # Django makes these names lazily, and the keys of JSON objects must be strings.
        names = [str(model._meta.verbose_name_plural) for model in models]
        return JsonResponse(
            {
                "counts": dict(zip(names, counts, strict=True)),
                "pool": dataclasses.asdict(pool_stats()),
            }
        )
