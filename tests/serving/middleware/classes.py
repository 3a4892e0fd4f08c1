"""Middleware written as classes, with every hook that Django calls."""

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils.deprecation import MiddlewareMixin

from ..recorder import note


class Mixin(MiddlewareMixin):
    """The oldest style: a hook before and a hook after."""

    def process_request(self, request):
        note("mixin: request")

    def process_response(self, request, response):
        note(f"mixin: response {response.status_code}")
        response.headers["X-Mixin"] = "seen"
        return response

    def process_exception(self, request, exception):
        note(f"mixin: exception {type(exception).__name__}")


class SynchronousHooks:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        note("synchronous class: before")
        response = self.get_response(request)
        note(f"synchronous class: after {response.status_code}")
        return response

    def process_view(self, request, view, args, kwargs):
        note(f"synchronous class: view {args} {kwargs}")

    def process_exception(self, request, exception):
        note(f"synchronous class: exception {type(exception).__name__}")

    def process_template_response(self, request, response):
        note("synchronous class: template response")
        return response


class AsynchronousHooks:
    sync_capable = False
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request):
        note("asynchronous class: before")
        response = await self.get_response(request)
        note(f"asynchronous class: after {response.status_code}")
        return response

    async def process_view(self, request, view, args, kwargs):
        note(f"asynchronous class: view {args} {kwargs}")

    async def process_exception(self, request, exception):
        note(f"asynchronous class: exception {type(exception).__name__}")

    async def process_template_response(self, request, response):
        note("asynchronous class: template response")
        return response


class Either:
    """Decides by what it was given, as documented; its hooks are synchronous."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        if self.is_async:
            return self.__acall__(request)
        note("either class: before")
        return self.answer(self.get_response(request))

    async def __acall__(self, request):
        note("either class: before")
        return self.answer(await self.get_response(request))

    def answer(self, response):
        response.headers["X-Either-Class"] = "asynchronous" if self.is_async else "synchronous"
        note(f"either class: after {response.status_code}")
        return response

    def process_view(self, request, view, args, kwargs):
        note(f"either class: view {args} {kwargs}")


class ContextChanged(MiddlewareMixin):
    def process_template_response(self, request, response):
        note("context changed")
        response.context_data = {**(response.context_data or {}), "added": "by middleware"}
        return response


class ContextChangedAsynchronously(AsynchronousHooks):
    async def process_template_response(self, request, response):
        note("context changed asynchronously")
        response.context_data = {**(response.context_data or {}), "more": "by a coroutine"}
        return response


class OtherUrls(MiddlewareMixin):
    def process_request(self, request):
        if "X-Other-Urls" in request.headers:
            request.urlconf = "tests.serving.other_urls"
