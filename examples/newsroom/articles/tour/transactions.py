"""Transactions and concurrency: what is undone, what runs side by side."""

from __future__ import annotations

import asyncio

from turbo_orm import atomic, on_commit

from ..models import Article, Author, Tag
from .pool import settled
from .report import Step, expect


class Undo(Exception):
    """Raised to leave a block without committing it."""


async def rollback() -> str:
    """Undo a block by raising in it."""
    author = await Author.objects.aget(name="Edsger")
    before = await Article.objects.acount()
    inside = 0
    callbacks: list[str] = []
    try:
        async with atomic():
            await Article.objects.acreate(title="Never printed", author=author)
            await on_commit(lambda: callbacks.append("printed"))
            inside = await Article.objects.acount()
            raise Undo
    except Undo:
        after = await Article.objects.acount()
    expect("inside the block", inside, before + 1)
    expect("after the rollback", after, before)
    expect("callbacks", callbacks, [])
    return f"{before} before, {inside} inside, {after} after"


async def savepoint() -> str:
    """Undo an inner block and keep the outer one."""
    async with atomic():
        kept, _ = await Tag.objects.aget_or_create(name="kept")
        try:
            async with atomic():
                await Tag.objects.acreate(name="dropped")
                raise Undo
        except Undo:
            pass
        names = (
            await Tag.objects.filter(name__in=["kept", "dropped"])
            .values_list("pk", flat=True)
            .alist()
        )
    expect("tags after the inner rollback", names, [kept.pk])
    await kept.adelete()
    return "inner block undone, outer one committed"


async def callback() -> str:
    """Run an async callback after the commit."""
    order: list[str] = []

    async def tell() -> None:
        order.append(f"counted {await Author.objects.acount()} authors")

    async with atomic():
        await on_commit(tell)
        order.append("in the block")
    expect("order", order[0], "in the block")
    expect("callbacks", len(order), 2)
    return f"after the commit the callback {order[1]}"


async def gather() -> str:
    """Run ten queries at once, each on a connection of its own."""
    counts = await asyncio.gather(
        *(Article.objects.filter(pk__lte=n).acount() for n in range(100, 1100, 100))
    )
    expect("counts", counts, list(range(100, 1100, 100)))
    stats = await settled()
    return f"10 counts, right and in order, on {stats.size} connections"


async def gather_in_transaction() -> str:
    """Let tasks take turns on the one connection of a transaction."""
    async with atomic():
        before = await Tag.objects.acount()
        await asyncio.gather(*(Tag.objects.acreate(name=f"turn {n}") for n in range(10)))
        expect("tags in the block", await Tag.objects.acount(), before + 10)
        deleted, _ = await Tag.objects.filter(name__startswith="turn ").adelete()
    expect("tags deleted", deleted, 10)
    return "10 tasks wrote in one transaction"


STEPS = [
    Step("A transaction rolled back", rollback),
    Step("A savepoint rolled back", savepoint),
    Step("on_commit() with an async callback", callback),
    Step("asyncio.gather: ten queries at once", gather),
    Step("asyncio.gather in a transaction", gather_in_transaction),
]
