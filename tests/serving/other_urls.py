"""The URLs that a middleware puts in the place of the project's."""

from django.http import HttpResponse
from django.urls import path, reverse


def elsewhere(request):
    return HttpResponse(f"another set of URLs: {reverse('elsewhere')}")


async def async_elsewhere(request):
    return HttpResponse(f"another set of URLs: {reverse('elsewhere')}")


urlpatterns = [
    path("text/", elsewhere, name="elsewhere"),
    path("async-text/", async_elsewhere),
]
