"""Who is logged in, and what they may do."""

from django import contrib
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.decorators import (
    login_required,
    permission_required,
    user_passes_test,
)
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse


def log_in(request):
    user = authenticate(
        request, username=request.POST["username"], password=request.POST["password"]
    )
    if user is None:
        return HttpResponseForbidden("wrong name or password")
    login(request, user)
    return HttpResponse(f"welcome {user}")


def log_out(request):
    logout(request)
    return HttpResponse("goodbye")


def who(request):
    return HttpResponse(f"{request.user} {request.user.is_authenticated}")


@login_required
def private(request):
    return HttpResponse(f"private to {request.user}")


@permission_required("serving.add_book")
def allowed(request):
    return HttpResponse(f"{request.user} may add books")


@permission_required("serving.delete_book", raise_exception=True)
def forbidden(request):
    return HttpResponse(f"{request.user} may delete books")


@user_passes_test(lambda user: user.is_authenticated and user.username.startswith("a"))
def tested(request):
    return HttpResponse(f"{request.user} passed")


def permissions(request):
    return JsonResponse(sorted(request.user.get_all_permissions()), safe=False)


def change_password(request):
    request.user.set_password(request.POST["password"])
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse("changed")


async def async_log_in(request):
    user = await contrib.auth.aauthenticate(
        request, username=request.POST["username"], password=request.POST["password"]
    )
    if user is None:
        return HttpResponseForbidden("wrong name or password")
    await contrib.auth.alogin(request, user)
    return HttpResponse(f"welcome {user}")


async def async_log_out(request):
    await contrib.auth.alogout(request)
    return HttpResponse("goodbye")


async def async_who(request):
    user = await request.auser()
    return HttpResponse(f"{user} {user.is_authenticated}")


@login_required
async def async_private(request):
    return HttpResponse(f"private to {await request.auser()}")


@permission_required("serving.add_book")
async def async_allowed(request):
    return HttpResponse(f"{await request.auser()} may add books")


async def async_permissions(request):
    user = await request.auser()
    return JsonResponse(sorted(await user.aget_all_permissions()), safe=False)
