"""Middleware that does not simply call what is inside it."""

import asyncio

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin

from ..models import Writer
from ..recorder import note


@async_only_middleware
def in_a_task(get_response):
    async def middleware(request):
        response = await asyncio.create_task(get_response(request))
        response.headers["X-In-A-Task"] = str(await Writer.objects.acount())
        return response

    return middleware


@async_only_middleware
def with_a_limit(get_response):
    async def middleware(request):
        return await asyncio.wait_for(get_response(request), timeout=60)

    return middleware


@async_only_middleware
def shielded(get_response):
    async def middleware(request):
        return await asyncio.shield(get_response(request))

    return middleware


@async_only_middleware
def hopping(get_response):
    """Send its own work to a thread, as stock Django would have it."""

    async def middleware(request):
        before = await sync_to_async(Writer.objects.count)()
        response = await get_response(request)
        response.headers["X-Hopping"] = f"{before}, {await sync_to_async(Writer.objects.count)()}"
        return response

    return middleware


def asking_a_coroutine(get_response):
    async def count():
        note("asked a coroutine")
        return await Writer.objects.acount()

    def middleware(request):
        before = async_to_sync(count)()
        response = get_response(request)
        response.headers["X-Asking"] = f"{before}, {async_to_sync(count)()}"
        return response

    return middleware


class OwnCall(MiddlewareMixin):
    """Overrides what the mixin does, in both modes, as documented."""

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.__acall__(request)
        note("own call: before")
        return self.answer(self.get_response(request))

    async def __acall__(self, request):
        note("own call: before")
        return self.answer(await self.get_response(request))

    def answer(self, response):
        note(f"own call: after {response.status_code}")
        return response

    def process_view(self, request, view, args, kwargs):
        note("own call: view")


class SynchronousCall(MiddlewareMixin):
    """Says that it is synchronous only, though the mixin could be both."""

    async_capable = False

    def __call__(self, request):
        note("synchronous call: before")
        response = super().__call__(request)
        note(f"synchronous call: after {response.status_code}")
        return response

    def process_request(self, request):
        note("synchronous call: request")
