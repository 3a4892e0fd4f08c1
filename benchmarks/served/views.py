"""The views: written as Django's documentation has asynchronous views written."""

from __future__ import annotations

import django
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from benchmarks.cases import LIST_LENGTH
from benchmarks.newsdesk.models import Article, Fortune, World

from .keys import new_number, read_keys, written_keys

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


async def single(request: HttpRequest, key: int) -> JsonResponse:
    """Fetch one world."""
    return JsonResponse(as_json(await World.objects.aget(pk=key)))


async def queries(request: HttpRequest, number: int) -> JsonResponse:
    """Fetch many worlds, one after the other."""
    found = [await World.objects.aget(pk=key) for key in read_keys(number)]
    return JsonResponse([as_json(world) for world in found], safe=False)


async def fortunes(request: HttpRequest) -> HttpResponse:
    """Fetch all fortunes, add one, and render them by a template."""
    found = [fortune async for fortune in Fortune.objects.all()]
    found.append(Fortune(id=0, message="Additional fortune added at request time."))
    found.sort(key=lambda fortune: fortune.message)
    return render(request, "served/fortunes.html", {"fortunes": found})


async def updates(request: HttpRequest, number: int) -> JsonResponse:
    """Fetch many worlds, one after the other, change them, and write them at once."""
    found = [await World.objects.aget(pk=key) for key in written_keys(number)]
    for world in found:
        world.randomnumber = new_number()
    await World.objects.abulk_update(found, ["randomnumber"])
    return JsonResponse([as_json(world) for world in found], safe=False)


def as_json(world: World) -> dict[str, int]:
    """Return a world as TechEmpower's benchmarks want it."""
    return {"id": world.pk, "randomNumber": world.randomnumber}


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
