"""Middleware that sets what code further in reads from its context, and reads what that set."""

from contextvars import ContextVar

from asgiref.sync import iscoroutinefunction
from django.utils import timezone, translation
from django.utils.decorators import async_only_middleware, sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

passed: ContextVar[str] = ContextVar("passed", default="")


def add(name: str) -> None:
    passed.set(f"{passed.get()} {name}".strip())


def synchronous(get_response):
    def middleware(request):
        add("synchronous")
        with translation.override("de"):
            response = get_response(request)
        response.headers["X-Passed-Synchronous"] = passed.get()
        return response

    return middleware


@async_only_middleware
def asynchronous(get_response):
    async def middleware(request):
        add("asynchronous")
        with timezone.override("Asia/Tokyo"):
            response = await get_response(request)
        response.headers["X-Passed-Asynchronous"] = passed.get()
        return response

    return middleware


@sync_and_async_middleware
def either(get_response):
    def synchronous_middleware(request):
        add("either")
        return get_response(request)

    async def middleware(request):
        add("either")
        return await get_response(request)

    return middleware if iscoroutinefunction(get_response) else synchronous_middleware


class Mixin(MiddlewareMixin):
    def process_request(self, request):
        add("mixin")

    def process_view(self, request, view, args, kwargs):
        add("view hook")

    def process_response(self, request, response):
        response.headers["X-Passed-Mixin"] = passed.get()
        return response
