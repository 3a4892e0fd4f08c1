"""The same views, synchronous."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article, Fortune, World

from .keys import new_number, read_keys, written_keys
from .views import as_json


def empty(request: HttpRequest) -> HttpResponse:
    """Touch nothing."""
    return HttpResponse("empty")


def article(request: HttpRequest, key: int) -> HttpResponse:
    """Fetch one row by primary key."""
    found = Article.objects.get(pk=key)
    return HttpResponse(f"{found.pk}: {found.title}")


def articles(request: HttpRequest, author: int) -> HttpResponse:
    """Fetch an author's newest articles and render them by a template."""
    newest = Article.objects.filter(author_id=author).order_by("-created")[:LIST_LENGTH]
    return render(request, "served/articles.html", {"articles": newest})


def account(request: HttpRequest) -> HttpResponse:
    """Say who is logged in."""
    return HttpResponse(f"logged in: {request.user.get_username()}")


def single(request: HttpRequest, key: int) -> JsonResponse:
    """Fetch one world."""
    return JsonResponse(as_json(World.objects.get(pk=key)))


def queries(request: HttpRequest, number: int) -> JsonResponse:
    """Fetch many worlds, one after the other."""
    found = [World.objects.get(pk=key) for key in read_keys(number)]
    return JsonResponse([as_json(world) for world in found], safe=False)


def fortunes(request: HttpRequest) -> HttpResponse:
    """Fetch all fortunes, add one, and render them by a template."""
    found = list(Fortune.objects.all())
    found.append(Fortune(id=0, message="Additional fortune added at request time."))
    found.sort(key=lambda fortune: fortune.message)
    return render(request, "served/fortunes.html", {"fortunes": found})


def updates(request: HttpRequest, number: int) -> JsonResponse:
    """Fetch many worlds, one after the other, change them, and write them at once."""
    found = [World.objects.get(pk=key) for key in written_keys(number)]
    for world in found:
        world.randomnumber = new_number()
    World.objects.bulk_update(found, ["randomnumber"])
    return JsonResponse([as_json(world) for world in found], safe=False)


urlpatterns = [
    path("empty/", empty),
    path("article/<int:key>/", article),
    path("author/<int:author>/", articles),
    path("account/", account),
    path("single/<int:key>/", single),
    path("queries/<int:number>/", queries),
    path("fortunes/", fortunes),
    path("updates/<int:number>/", updates),
]
