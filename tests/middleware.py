"""One middleware of each kind; what each does, and where, is written down in ``CALLS``."""

import asyncio
import threading
from typing import NamedTuple

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse
from django.utils.decorators import (
    async_only_middleware,
    sync_and_async_middleware,
    sync_only_middleware,
)
from django.utils.deprecation import MiddlewareMixin

from turbo_orm import in_bridge


class Call(NamedTuple):
    name: str
    event: str
    place: str


CALLS: list[Call] = []


def place():
    """Return where this code runs: in the bridge, on the loop outside of it, or in a thread."""
    if threading.current_thread() is not threading.main_thread():
        return "thread"
    return "bridge" if in_bridge() else "loop"


def record(name, event):
    CALLS.append(Call(name, event, place()))


def sign(response, name):
    """Leave the name of a middleware on a response, so that their order can be seen there too."""
    record(name, "response")
    response["Passed"] = f"{response.get('Passed', '')} {name}".strip()
    return response


@sync_only_middleware
def sync_function(get_response):
    def middleware(request):
        record("sync_function", "request")
        return sign(get_response(request), "sync_function")

    return middleware


@async_only_middleware
def async_function(get_response):
    async def middleware(request):
        record("async_function", "request")
        await asyncio.sleep(0)
        return sign(await get_response(request), "async_function")

    return middleware


@sync_and_async_middleware
def both_function(get_response):
    if not iscoroutinefunction(get_response):

        def synchronous(request):
            record("both_function", "request")
            return sign(get_response(request), "both_function")

        return synchronous

    async def asynchronous(request):
        record("both_function", "request")
        await asyncio.sleep(0)
        return sign(await get_response(request), "both_function")

    return asynchronous


class Named:
    """Whatever takes a get_response and has a name."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.name = type(self).__name__


class SyncClass(Named):
    def __call__(self, request):
        record(self.name, "request")
        return sign(self.get_response(request), self.name)


class AsyncClass(Named):
    sync_capable = False
    async_capable = True

    def __init__(self, get_response):
        super().__init__(get_response)
        markcoroutinefunction(self)

    async def __call__(self, request):
        record(self.name, "request")
        await asyncio.sleep(0)
        return sign(await self.get_response(request), self.name)


class BothClass(Named):
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.asynchronous(request)
        record(self.name, "request")
        return sign(self.get_response(request), self.name)

    async def asynchronous(self, request):
        record(self.name, "request")
        return sign(await self.get_response(request), self.name)


class Mixin(MiddlewareMixin):
    def process_request(self, request):
        record(type(self).__name__, "request")

    def process_response(self, request, response):
        return sign(response, type(self).__name__)


class MixinWithItsOwnCall(MiddlewareMixin):
    def __call__(self, request):
        if iscoroutinefunction(self):
            return self.__acall__(request)
        record("MixinWithItsOwnCall", "request")
        return sign(self.get_response(request), "MixinWithItsOwnCall")

    async def __acall__(self, request):
        record("MixinWithItsOwnCall", "request")
        return sign(await self.get_response(request), "MixinWithItsOwnCall")


class SyncHooks(Mixin):
    def process_view(self, request, view, args, kwargs):
        record("SyncHooks", f"view {view.__name__}")

    def process_exception(self, request, exception):
        record("SyncHooks", f"exception {exception}")

    def process_template_response(self, request, response):
        record("SyncHooks", "template")
        response.context_data["seen"] = f"{response.context_data.get('seen', '')} sync"
        return response


class AsyncHooks(AsyncClass):
    async def process_view(self, request, view, args, kwargs):
        await asyncio.sleep(0)
        record("AsyncHooks", f"view {view.__name__}")

    async def process_exception(self, request, exception):
        await asyncio.sleep(0)
        record("AsyncHooks", f"exception {exception}")

    async def process_template_response(self, request, response):
        await asyncio.sleep(0)
        record("AsyncHooks", "template")
        response.context_data["seen"] = f"{response.context_data.get('seen', '')} async"
        return response


class AnswersRequest(Mixin):
    def process_request(self, request):
        record("AnswersRequest", "request")
        return HttpResponse("early", status=203)


class AnswersView(Mixin):
    def process_view(self, request, view, args, kwargs):
        record("AnswersView", f"view {view.__name__}")
        return HttpResponse("instead", status=203)


class AnswersException(SyncClass):
    def process_exception(self, request, exception):
        record("AnswersException", f"exception {exception}")
        return HttpResponse("saved", status=203)


class AnswersExceptionLater(AsyncClass):
    async def process_exception(self, request, exception):
        record("AnswersExceptionLater", f"exception {exception}")
        await asyncio.sleep(0)
        return HttpResponse("saved", status=203)


class Catches(SyncClass):
    """Expects what Django turns into a response before it comes here."""

    def __call__(self, request):
        try:
            return super().__call__(request)
        except Exception as error:
            record(self.name, f"caught {error!r}")
            raise


class FailsOnRequest(SyncClass):
    def __call__(self, request):
        record(self.name, "request")
        raise LookupError("in a middleware")


class FailsOnResponse(AsyncClass):
    async def __call__(self, request):
        await super().__call__(request)
        raise LookupError("after the view")


class NotUsed:
    def __init__(self, get_response):
        record("NotUsed", "loaded")
        raise MiddlewareNotUsed("not today")


class AsyncNotUsed(NotUsed):
    sync_capable = False
    async_capable = True


class BothNotUsed(NotUsed):
    async_capable = True
