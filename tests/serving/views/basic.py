"""What a view reads of its request, and the plain kinds of response."""

import datetime

from django.http import HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as translated
from django.views.decorators.http import condition, require_POST
from django.views.decorators.vary import vary_on_headers

from ..middleware.contextual import add, passed

CHANGED = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)


def text(request):
    return HttpResponse("synchronous")


async def async_text(request):
    return HttpResponse("asynchronous")


def seen(request):
    """Return all that a request says of itself."""
    return {
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "path_info": request.path_info,
        "full_path": request.get_full_path(),
        "absolute": request.build_absolute_uri(),
        "prefix": get_script_prefix(),
        "reversed": reverse("echo"),
        "GET": dict(request.GET.lists()),
        "POST": dict(request.POST.lists()),
        "files": {name: file.size for name, file in request.FILES.items()},
        "cookies": sorted(name for name in request.COOKIES),
        "content_type": request.content_type,
        "encoding": request.encoding,
        "match": request.resolver_match.view_name,
        "headers": {
            name: value for name, value in sorted(request.headers.items()) if name != "Cookie"
        },
        "meta": {name: request.META.get(name) for name in ("REMOTE_ADDR", "SERVER_PORT")},
    }


def echo(request):
    return JsonResponse(seen(request))


async def async_echo(request):
    return JsonResponse(seen(request))


def headers(request):
    response = HttpResponse(b"bytes", content_type="application/x-odd", status=203, reason="Odd")
    response["X-lower-Case"] = "kept"
    response["x-second"] = "ünï"
    response.headers["X-Number"] = "3"
    return response


def moved(request):
    return redirect("echo", permanent=True)


async def async_moved(request):
    return redirect("/echo/?from=moved")


def set_cookies(request):
    response = HttpResponse("cookies")
    response.set_cookie("plain", "a value", max_age=3600, path="/", samesite="Lax", httponly=True)
    response.set_signed_cookie("signed", "sealed", salt="test")
    response.set_cookie("gone", "soon")
    response.delete_cookie("never")
    return response


async def read_cookies(request):
    signed = request.get_signed_cookie("signed", default="none", salt="test")
    response = HttpResponse(f"{request.COOKIES.get('plain')} {signed}")
    response.delete_cookie("gone")
    return response


def in_context():
    add("view")
    return JsonResponse(
        {
            "passed": passed.get(),
            "language": get_language(),
            "zone": timezone.get_current_timezone_name(),
        }
    )


def context(request):
    return in_context()


async def async_context(request):
    return in_context()


@condition(etag_func=lambda request: '"version 1"', last_modified_func=lambda request: CHANGED)
def conditional(request):
    return HttpResponse("conditional")


async def large(request):
    return HttpResponse("a line that compresses well\n" * 5000)


async def empty(request):
    return HttpResponse(status=204)


async def not_modified(request):
    return HttpResponseNotModified()


@vary_on_headers("Accept", "X-One")
def varied(request):
    response = HttpResponse("varied")
    patch_vary_headers(response, ["X-Two"])
    return response


@require_POST
def only_post(request):
    return HttpResponse("posted")


async def language(request):
    return HttpResponse(f"{get_language()}: {translated('Monday')} {translated('yes,no,maybe')}")


def read_parts(request):
    """Read the body as a file, in pieces."""
    first, rest = request.read(4), request.read()
    return HttpResponse(f"{first!r} {len(rest)} {rest[-4:]!r}")


async def read_lines(request):
    return JsonResponse([line.decode() for line in request], safe=False)


async def read_body(request):
    body = request.body
    return JsonResponse({"length": len(body), "end": body[-8:].decode(), "POST": request.POST})
