"""Sessions, messages, CSRF: what one request leaves for the next."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token, rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect, ensure_csrf_cookie


def write(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(f"count {request.session['count']}")


def read(request):
    items = sorted(item for item in request.session.items() if not item[0].startswith("_"))
    return JsonResponse({"items": items, "empty": request.session.is_empty()})


def flush(request):
    request.session.flush()
    return HttpResponse("flushed")


def cycle(request):
    request.session.cycle_key()
    return HttpResponse("cycled")


def expire(request):
    request.session.set_expiry(0)
    return HttpResponse(f"until {request.session.get_expire_at_browser_close()}")


def probe(request):
    """Let the browser prove that it keeps cookies."""
    worked = request.session.test_cookie_worked()
    request.session.set_test_cookie()
    return HttpResponse(f"worked: {worked}")


async def async_write(request):
    count = await request.session.aget("count", 0)
    await request.session.aset("count", count + 1)
    return HttpResponse(f"count {count + 1}")


async def async_read(request):
    found = await request.session.aget("count", "none")
    return JsonResponse({"count": found, "keys": sorted(await request.session.akeys())})


async def async_flush(request):
    await request.session.aflush()
    return HttpResponse("flushed")


async def async_cycle(request):
    await request.session.acycle_key()
    return HttpResponse("cycled")


def add_message(request):
    messages.success(request, "It is done.")
    messages.warning(request, "It is almost done.", extra_tags="loud")
    return redirect("messages")


async def async_add_message(request):
    messages.info(request, "A coroutine says so.")
    return redirect("messages")


def show_messages(request):
    return render(request, "serving/messages.html")


def csrf_form(request):
    get_token(request)
    if request.method == "POST":
        return HttpResponse(f"posted {request.POST.get('field')}")
    return render(request, "serving/form.html")


async def async_csrf_form(request):
    get_token(request)
    return HttpResponse(f"{request.method} {request.POST.get('field')}")


@csrf_exempt
def exempt(request):
    return HttpResponse(f"exempt {request.method}")


@csrf_protect
def protected(request):
    return HttpResponse(f"protected {request.method}")


@ensure_csrf_cookie
def ensured(request):
    return HttpResponse("cookie ensured")


def rotated(request):
    rotate_token(request)
    return HttpResponse("token rotated")
