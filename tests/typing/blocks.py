"""Transactions: `atomic` in all its forms, and its callbacks."""

from __future__ import annotations

from typing_extensions import assert_type

from turbo_orm import atomic, on_commit, set_rollback
from turbo_orm.transaction import in_atomic_block, savepoint


async def managers() -> None:
    async with atomic() as nothing:
        assert_type(nothing, None)
    async with atomic("other", savepoint=False), atomic(using="other", durable=True):
        await on_commit(lambda: None)
        await on_commit(notify, using="other", robust=True)
        set_rollback(True, using="other")
        assert_type(in_atomic_block(), bool)
        assert_type(await savepoint(), str | None)


def synchronous_manager() -> None:
    with atomic():
        pass


async def notify() -> int:
    return 1


@atomic
async def transfer(amount: int, *, note: str = "") -> str:
    return note * amount


@atomic(durable=True)
async def durable(amount: int) -> str:
    return str(amount)


@atomic
def plainly(amount: int) -> str:
    return str(amount)


@atomic("other")
def elsewhere(amount: int) -> str:
    return str(amount)


class Account:
    @atomic
    async def withdraw(self, amount: int) -> int:
        return amount


async def decorated() -> None:
    assert_type(await transfer(1, note="x"), str)
    await transfer("1")  # type: ignore[arg-type]
    await transfer(1, not_="x")  # type: ignore[call-arg]
    assert_type(await durable(1), str)
    assert_type(plainly(1), str)
    assert_type(elsewhere(1), str)
    assert_type(await Account().withdraw(1), int)
