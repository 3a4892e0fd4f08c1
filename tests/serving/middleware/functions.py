"""Middleware written as functions, in each of the three modes."""

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import async_only_middleware, sync_and_async_middleware

from ..recorder import note


def synchronous(get_response):
    """Nothing says what it can do: Django takes it for synchronous."""

    def middleware(request):
        note("synchronous function: before")
        response = get_response(request)
        response.headers["X-Synchronous"] = "seen"
        note("synchronous function: after")
        return response

    return middleware


@async_only_middleware
def asynchronous(get_response):
    async def middleware(request):
        note("asynchronous function: before")
        response = await get_response(request)
        response.headers["X-Asynchronous"] = "seen"
        note("asynchronous function: after")
        return response

    return middleware


@sync_and_async_middleware
def either(get_response):
    """Says in a header which mode it was given."""
    mode = "asynchronous" if iscoroutinefunction(get_response) else "synchronous"

    async def middleware(request):
        note("either function: before")
        response = await get_response(request)
        response.headers["X-Either"] = mode
        note("either function: after")
        return response

    def synchronous_middleware(request):
        note("either function: before")
        response = get_response(request)
        response.headers["X-Either"] = mode
        note("either function: after")
        return response

    return middleware if mode == "asynchronous" else synchronous_middleware
