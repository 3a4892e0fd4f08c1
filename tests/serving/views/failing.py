"""Views that fail, in each way that Django has an answer to."""

import asyncio

from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.template.response import TemplateResponse
from django.urls import Resolver404

from ..recorder import note

ERRORS = {
    "404": Http404("no such thing"),
    "denied": PermissionDenied("not for you"),
    "suspicious": SuspiciousOperation("what is this"),
    "host": DisallowedHost("who is this"),
    "bad": BadRequest("cannot be read"),
    "multipart": MultiPartParserError("no boundary"),
    "large": RequestDataTooBig("too much"),
    "fields": TooManyFieldsSent("too many"),
    "plain": ValueError("an error of the view"),
    "key": KeyError("missing"),
    "stop": StopIteration("no more"),
    "async-stop": StopAsyncIteration("no more"),
    "timeout": TimeoutError("too slow"),
    "cancelled": asyncio.CancelledError("no longer wanted"),
}


def fail(request, kind):
    raise type(ERRORS[kind])(*ERRORS[kind].args)


async def async_fail(request, kind):
    raise type(ERRORS[kind])(*ERRORS[kind].args)


def nothing(request):
    return None


async def async_nothing(request):
    return None


async def answer():
    return HttpResponse("never seen")


def unawaited(request):
    return answer()


async def async_unawaited(request):
    return answer()


def fail_in_template(request):
    return TemplateResponse(request, "serving/absent.html", {})


def broken(request):
    """Fail while the template asks for a value."""

    def value():
        raise LookupError("in the template")

    return TemplateResponse(request, "serving/value.html", {"value": value})


# What Django calls when a view has failed.


def page_not_found(request, exception):
    note("handler404")
    reason = "no URL" if isinstance(exception, Resolver404) else exception
    return HttpResponse(f"not found: {reason}", status=404)


def server_error(request):
    note("handler500")
    return HttpResponse("something failed", status=500)
