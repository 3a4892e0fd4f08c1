"""Views of either kind."""

from django.db import transaction
from django.http import JsonResponse
from django.urls import path

from .models import Row


async def coroutine(request, name):
    """Make a row and say what is there."""
    await Row.objects.acreate(name=name)
    return JsonResponse({"rows": await Row.objects.acount()})


def synchronous(request, name):
    """Make a row and say what is there."""
    Row.objects.create(name=name)
    return JsonResponse({"rows": Row.objects.count()})


urlpatterns = [path("coroutine/<name>/", coroutine), path("synchronous/<name>/", synchronous)]


def all_or_nothing(get_response):
    """Return a middleware that rolls back what a request for "gone" did."""

    def middleware(request):
        with transaction.atomic():
            Row.objects.create(name=f"middleware {request.path}")
            response = get_response(request)
            transaction.set_rollback("gone" in request.path)
        return response

    return middleware
