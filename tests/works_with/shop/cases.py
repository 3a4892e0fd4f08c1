"""What a request does with each package: once synchronously, once as a coroutine.

``around`` is a context manager that only every other user enters. ``work`` meets all other requests
in its midst, so that a shared value would be that of somebody else by then.
"""

import contextlib
import dataclasses
from collections.abc import Callable

import pgtrigger
from asgiref.sync import sync_to_async
from cacheops import no_invalidation
from cacheops.transaction import transaction_states
from django.contrib.auth import authenticate
from django.db import DatabaseError, transaction

from .models import Category, Contract, Item, Note, Order, Parcel, Price

IGNORED = "shop.Contract:protect_deletes", "shop.Contract:protect_updates"


def in_bridge():
    """Tell whether synchronous code may query on the event loop."""
    try:
        from turbo_orm import in_bridge as asked
    except ImportError:
        return False
    return asked()


async def call(function, *args, **kwargs):
    """Call synchronous code from a coroutine, as the server allows."""
    if in_bridge():
        return function(*args, **kwargs)
    return await sync_to_async(function)(*args, **kwargs)


@contextlib.asynccontextmanager
async def entered(manager):
    """Enter a synchronous context manager from a coroutine, as the server allows."""
    await call(manager.__enter__)
    try:
        yield
    except BaseException as error:
        await call(manager.__exit__, type(error), error, error.__traceback__)
        raise
    else:
        await call(manager.__exit__, None, None, None)


@dataclasses.dataclass(frozen=True)
class Case:
    """One package.

    Args:
        work: takes the user, a text and what to call in its midst; returns what was seen.
        awork: the same as a coroutine function.
        expected: takes the number of the user and the text; returns what must be seen.
        around: returns a context manager for the number of a user.
    """

    work: Callable
    awork: Callable
    expected: Callable
    around: Callable = lambda number: contextlib.nullcontext()


def crum_work(user, text, meet):
    meet()
    return Note.objects.get(pk=Note.objects.create(text=text).pk).author


async def crum_awork(user, text, meet):
    await meet()
    return (await Note.objects.aget(pk=(await Note.objects.acreate(text=text)).pk)).author


def currentuser_work(user, text, meet):
    meet()
    pk = Order.objects.create(text=text).pk
    return Order.objects.values_list("owner__username", flat=True).get(pk=pk)


async def currentuser_awork(user, text, meet):
    await meet()
    pk = (await Order.objects.acreate(text=text)).pk
    return await Order.objects.values_list("owner__username", flat=True).aget(pk=pk)


def pghistory_work(user, text, meet):
    meet()
    pk = Price.objects.create(text=text).pk
    context = Price.pgh_event_model.objects.get(pgh_obj_id=pk).pgh_context
    return context.metadata["user"] == user.pk, context.metadata["url"]


async def pghistory_awork(user, text, meet):
    await meet()
    pk = (await Price.objects.acreate(text=text)).pk
    event = await Price.pgh_event_model.objects.select_related("pgh_context").aget(pgh_obj_id=pk)
    return event.pgh_context.metadata["user"] == user.pk, event.pgh_context.metadata["url"]


def multitenant_work(user, text, meet):
    meet()
    Parcel.objects.create(text=text)
    return sorted(set(Parcel.objects.values_list("tenant__name", flat=True)))


async def multitenant_awork(user, text, meet):
    await meet()
    await Parcel.objects.acreate(text=text)
    return sorted({name async for name in Parcel.objects.values_list("tenant__name", flat=True)})


def silk_work(user, text, meet):
    meet()
    Item.objects.filter(text=text).count()


async def silk_awork(user, text, meet):
    await meet()
    await Item.objects.filter(text=text).acount()


def pgtrigger_work(user, text, meet):
    contract = Contract.objects.create(text=text)
    meet()
    with contextlib.suppress(DatabaseError):
        contract.delete()
    meet()
    return Contract.objects.filter(text=text).count()


async def pgtrigger_awork(user, text, meet):
    contract = await Contract.objects.acreate(text=text)
    await meet()
    with contextlib.suppress(DatabaseError):
        await contract.adelete()
    await meet()
    return await Contract.objects.filter(text=text).acount()


def mptt_work(user, text, meet):
    root = Category.objects.get(name=user.username)
    meet()
    Category.objects.create(name=text, parent=root)
    meet()
    return Category._mptt_updates_enabled, Category._mptt_is_tracking


async def mptt_awork(user, text, meet):
    root = await Category.objects.aget(name=user.username)
    await meet()
    await call(Category.objects.create, name=text, parent=root)
    await meet()
    return await call(lambda: (Category._mptt_updates_enabled, Category._mptt_is_tracking))


def allauth_work(user, text, meet):
    from allauth.account.auth_backends import AuthenticationBackend

    # Those with odd numbers are active, and mistyped.
    password = user.username if user_number(user) % 2 == 0 else "wrong"
    found = authenticate(None, username=user.username, password=password)
    meet()
    stashed = AuthenticationBackend.unstash_authenticated_user()
    return found, stashed and stashed.username


async def allauth_awork(user, text, meet):
    from allauth.account.auth_backends import AuthenticationBackend

    password = user.username if user_number(user) % 2 == 0 else "wrong"
    found = await call(authenticate, None, username=user.username, password=password)
    await meet()
    stashed = await call(AuthenticationBackend.unstash_authenticated_user)
    return found, stashed and stashed.username


def invalidation_work(user, text, meet):
    item = Item.objects.create(text=text)
    meet()
    item.save()
    meet()
    return bool(no_invalidation.active)


async def invalidation_awork(user, text, meet):
    item = await Item.objects.acreate(text=text)
    await meet()
    await item.asave()
    await meet()
    return await call(lambda: bool(no_invalidation.active))


def transaction_work(user, text, meet):
    Item.objects.create(text=text)
    meet()
    return transaction_states.is_dirty(["default"])


async def transaction_awork(user, text, meet):
    await Item.objects.acreate(text=text)
    await meet()
    return await call(transaction_states.is_dirty, ["default"])


def user_number(user):
    return int(user.username.removeprefix("user"))


def every_other(manager):
    return lambda number: manager() if number % 2 else contextlib.nullcontext()


CASES = {
    "crum": Case(crum_work, crum_awork, lambda number, text: f"user{number}"),
    "currentuser": Case(currentuser_work, currentuser_awork, lambda number, text: f"user{number}"),
    "pghistory": Case(
        pghistory_work, pghistory_awork, lambda number, text: [True, f"/pghistory/{text}"]
    ),
    "multitenant": Case(
        multitenant_work, multitenant_awork, lambda number, text: [f"tenant{number}"]
    ),
    "silk": Case(silk_work, silk_awork, lambda number, text: None),
    "pgtrigger": Case(
        pgtrigger_work,
        pgtrigger_awork,
        lambda number, text: 1 - number % 2,
        lambda number: pgtrigger.ignore(IGNORED[1 - number % 2]),
    ),
    "mptt": Case(
        mptt_work,
        mptt_awork,
        lambda number, text: [number % 2 == 0, number % 2 == 1],
        every_other(Category.objects.delay_mptt_updates),
    ),
    "allauth": Case(
        allauth_work,
        allauth_awork,
        lambda number, text: [None, f"user{number}" if number % 2 == 0 else None],
    ),
    "cacheops_invalidation": Case(
        invalidation_work,
        invalidation_awork,
        lambda number, text: number % 2 == 1,
        every_other(lambda: no_invalidation),
    ),
    "cacheops_transaction": Case(
        transaction_work,
        transaction_awork,
        lambda number, text: number % 2 == 1,
        every_other(transaction.atomic),
    ),
}
