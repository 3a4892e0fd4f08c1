import json

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, JsonResponse

from turbo_orm import atomic, on_commit

from .models import Account, Entry

# What was done after commits.
SENT: list[str] = []


async def accounts(request: HttpRequest) -> HttpResponse:
    """List accounts, on the event loop."""
    return JsonResponse({a.owner: a.balance async for a in Account.objects.all()})


def accounts_in_thread(request: HttpRequest) -> HttpResponse:
    """List accounts, synchronously."""
    return JsonResponse({a.owner: a.balance for a in Account.objects.all()})


async def transfer(request: HttpRequest) -> HttpResponse:
    """Move money, or nothing at all; tell of it after the commit."""
    data = json.loads(request.body)
    async with atomic():
        source = await Account.objects.select_for_update().aget(owner=data["from"])
        target = await Account.objects.select_for_update().aget(owner=data["to"])
        target.balance += data["amount"]
        await target.asave()
        await Entry.objects.acreate(account=target, amount=data["amount"])
        source.balance -= data["amount"]
        await source.asave()

        async def tell() -> None:
            SENT.append(f"{await Account.objects.acount()} accounts")

        await on_commit(tell)
    return JsonResponse({"from": source.balance, "to": target.balance})


async def enter(request: HttpRequest) -> HttpResponse:
    """Log a user in."""
    user = authenticate(request, **json.loads(request.body))
    if user is None:
        return HttpResponse(status=403)
    login(request, user)
    return HttpResponse(user.username)


async def whoami(request: HttpRequest) -> HttpResponse:
    """Count the visits of a user in the session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(f"{request.user.username or 'nobody'} {request.session['visits']}")
