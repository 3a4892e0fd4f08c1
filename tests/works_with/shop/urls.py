"""One view for each case and each kind of view."""

import asyncio
import functools

from asgiref.sync import async_to_sync
from django.http import JsonResponse
from django.urls import path

from .cases import CASES, entered, user_number
from .meeting import USERS, ameet, meet


def point(request):
    """Count the meetings of one request."""
    request.meetings = getattr(request, "meetings", 0) + 1
    _, case, kind, round_, *_ = request.path.split("/")
    return case, kind, round_, request.meetings


def text_of(request):
    return request.path.split("/", 2)[2]


def synchronous(case):
    def view(request, **kwargs):
        with case.around(user_number(request.user)):
            return case.work(request.user, text_of(request), lambda: meet(point(request)))

    return view


def coroutine(case):
    async def view(request, **kwargs):
        async with entered(case.around(user_number(request.user))):
            return await case.awork(request.user, text_of(request), lambda: ameet(point(request)))

    return view


def between(case):
    """A synchronous view that calls a coroutine."""

    def view(request, **kwargs):
        with case.around(user_number(request.user)):
            return async_to_sync(case.awork)(
                request.user, text_of(request), lambda: ameet(point(request))
            )

    return view


def gathered(case):
    """A coroutine with two children, which meet those of all other requests."""

    async def child(request, number):
        meetings = iter(range(100))
        where = request.path.split("/")[1:4]
        return await case.awork(
            request.user,
            f"{text_of(request)}/{number}",
            lambda: ameet((*where, next(meetings)), 2 * USERS),
        )

    async def view(request, **kwargs):
        async with entered(case.around(user_number(request.user))):
            return await asyncio.gather(child(request, 1), child(request, 2))

    return view


def answering(view):
    if asyncio.iscoroutinefunction(view):

        async def answer(request, **kwargs):
            return JsonResponse({"seen": await view(request, **kwargs)})

    else:

        def answer(request, **kwargs):
            return JsonResponse({"seen": view(request, **kwargs)})

    return functools.update_wrapper(answer, view, ("__name__",), ())


KINDS = {
    "sync": synchronous,
    "coroutine": coroutine,
    "between": between,
    "gather": gathered,
}

urlpatterns = [
    path(f"{name}/{kind}/<int:round>/<str:user>", answering(make(case)))
    for name, case in CASES.items()
    for kind, make in KINDS.items()
]
