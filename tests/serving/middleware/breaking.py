"""Middleware that does not let a request through, or breaks it."""

from django.core.exceptions import MiddlewareNotUsed, PermissionDenied
from django.http import HttpResponse
from django.utils.decorators import async_only_middleware
from django.utils.deprecation import MiddlewareMixin

from ..recorder import note
from .classes import AsynchronousHooks


class NotUsed:
    def __init__(self, get_response):
        raise MiddlewareNotUsed("the scenario wants none")


class ShortCircuit(MiddlewareMixin):
    def process_request(self, request):
        note("short circuit")
        return HttpResponse("from the middleware", status=202)


@async_only_middleware
def asynchronous_short_circuit(get_response):
    async def middleware(request):
        note("asynchronous short circuit")
        return HttpResponse("from the coroutine", status=202)

    return middleware


class RaisesBefore(MiddlewareMixin):
    def process_request(self, request):
        raise PermissionDenied("before the view")


class RaisesAfter:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        self.get_response(request)
        raise LookupError("after the view")


@async_only_middleware
def asynchronous_raises_after(get_response):
    async def middleware(request):
        await get_response(request)
        raise LookupError("after the view, in a coroutine")

    return middleware


class ViewRefused(MiddlewareMixin):
    def process_view(self, request, view, args, kwargs):
        note("view refused")
        return HttpResponse("no view was called", status=418)


class ViewRefusedAsynchronously(AsynchronousHooks):
    async def process_view(self, request, view, args, kwargs):
        note("view refused asynchronously")
        return HttpResponse("no view was called", status=418)


class ExceptionAnswered(MiddlewareMixin):
    def process_exception(self, request, exception):
        note(f"answered {type(exception).__name__}")
        return HttpResponse(f"instead of {type(exception).__name__}: {exception}", status=503)


class ExceptionAnsweredAsynchronously(AsynchronousHooks):
    async def process_exception(self, request, exception):
        note(f"answered {type(exception).__name__} asynchronously")
        return HttpResponse(f"instead of {type(exception).__name__}: {exception}", status=503)


class ExceptionHookRaises(MiddlewareMixin):
    def process_exception(self, request, exception):
        raise OSError("in the hook")


def no_response(get_response):
    def middleware(request):
        get_response(request)

    return middleware


class TemplateResponseLost(MiddlewareMixin):
    def process_template_response(self, request, response):
        note("template response lost")
