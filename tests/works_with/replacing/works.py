"""What is done with each package. Each coroutine returns what was seen, and is run three times."""

import os

import psycopg
from django.conf import settings
from django.db import connections


def behind_its_back(name):
    """Add an account without Django: nothing invalidates a cache."""
    with psycopg.connect(
        os.environ["DATABASE_URL"],
        dbname=connections.settings["default"]["NAME"],
        autocommit=True,
    ) as connection:
        connection.execute("INSERT INTO replacing_account (name) VALUES (%s)", [name])


async def of_a_cache():
    """Read what is cached, and what is not any more."""
    from .models import Account

    async def seen():
        found = Account.objects.filter(name__startswith="a").order_by("pk")
        return [
            [account.name async for account in found.all()],
            await found.acount(),
            await found.aexists(),
            (await found.afirst()).name if await found.aexists() else None,
            [name async for name in found.values_list("name", flat=True)],
        ]

    account = await Account.objects.acreate(name="a1")
    before = await seen()
    behind_its_back("a2")
    cached = await seen()
    await Account.objects.acreate(name="b")
    fresh = await seen()
    account.name = "a3"
    await account.asave()
    saved = await seen()
    await Account.objects.filter(name="b").adelete()
    return [before, cached, fresh, saved, await seen()]


async def of_money():
    """Write and compare amounts with currencies."""
    from djmoney.money import Money

    from .models import Account

    account = await Account.objects.acreate(name="a", balance=Money(5, "EUR"))
    rows = Account.objects.filter(pk=account.pk)
    await rows.aupdate(balance=Money(7, "USD"))
    found = await Account.objects.aget(pk=account.pk, balance=Money(7, "USD"))
    same, made = await Account.objects.aget_or_create(
        pk=account.pk, balance=Money(7, "USD"), defaults={"name": "other"}
    )
    return [
        str(found.balance),
        same.pk == account.pk,
        made,
        await Account.objects.filter(pk=account.pk, balance=Money(7, "EUR")).acount(),
        await Account.objects.exclude(balance=Money(7, "USD")).filter(pk=account.pk).aexists(),
        str((await rows.afirst()).balance),
    ]


WORKS = {
    "cachalot": of_a_cache,
    "cacheops": of_a_cache,
    "djmoney": of_money,
}
work = WORKS[settings.PACKAGE]
