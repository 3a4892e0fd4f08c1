"""Functions without a loop, beside the others."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from bank.models import Account
from django.test import Client, TestCase

from turbo_orm import atomic


def test_rows_of_fixtures_are_there(ada, entry):
    assert [account.owner for account in Account.objects.all()] == ["Ada", "Baked"]


def test_a_loop_of_its_own_shares_the_transaction(ada):
    async def add():
        async with atomic():
            await Account.objects.acreate(owner="Zoe", balance=await Account.objects.acount())

    asyncio.run(add())
    async_to_sync(add_more)()
    assert [account.owner for account in Account.objects.all()] == ["Ada", "Yan", "Zoe"]


async def add_more():
    await Account.objects.acreate(owner="Yan")


def test_the_synchronous_client_sees_them(ada):
    assert Client().get("/accounts-in-thread/").json() == {"Ada": 100}


@pytest.mark.usefixtures("turbo_db")
class DjangosOwnTestCaseTests(TestCase):
    """The fixture opens its transaction to the loop."""

    def test_a_loop_shares_its_transaction(self):
        Account.objects.create(owner="Ada")
        asyncio.run(add_more())
        self.assertEqual([account.owner for account in Account.objects.all()], ["Ada", "Yan"])
