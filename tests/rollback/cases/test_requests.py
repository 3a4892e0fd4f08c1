"""Requests inside the transaction of a test."""

import unittest

from bank import views
from bank.models import Account
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from turbo_orm import run_sync
from turbo_orm.test import AsyncClient, TestCase, hops, no_threads


class RequestTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin = User.objects.create_superuser("admin", password="secret")
        Account.objects.bulk_create([Account(owner="Ada", balance=10), Account(owner="Bob")])

    async def test_a_view_sees_the_rows_of_the_class(self):
        await Account.objects.acreate(owner="Cleo", balance=1)
        response = await self.async_client.get("/accounts/")
        self.assertEqual(response.json(), {"Ada": 10, "Bob": 0, "Cleo": 1})

    async def test_a_synchronous_view_sees_them_too(self):
        response = await self.async_client.get("/accounts-in-thread/")
        self.assertEqual(response.json(), {"Ada": 10, "Bob": 0})

    def test_the_synchronous_client_sees_them_too(self):
        self.assertEqual(self.client.get("/accounts-in-thread/").json(), {"Ada": 10, "Bob": 0})

    async def transfer(self, amount):
        data = {"from": "Ada", "to": "Bob", "amount": amount}
        return await self.async_client.post("/transfer/", data, content_type="application/json")

    async def test_a_view_writes_and_calls_back_after_its_commit(self):
        views.SENT.clear()
        async with self.captureOnCommitCallbacks(execute=True):
            response = await self.transfer(4)
        self.assertEqual(response.json(), {"from": 6, "to": 4})
        self.assertEqual(views.SENT, ["2 accounts"])

    async def test_a_view_that_fails_has_written_nothing(self):
        with self.assertRaisesMessage(Exception, "balance_not_negative"):
            await self.transfer(11)
        balances = [account.balance async for account in Account.objects.all()]
        self.assertEqual(balances, [10, 0])

    async def test_a_user_logs_in_and_stays_so(self):
        body = {"username": "admin", "password": "secret"}
        response = await self.async_client.post("/enter/", body, content_type="application/json")
        self.assertEqual(response.content, b"admin")
        for visit in (b"admin 1", b"admin 2"):
            self.assertEqual((await self.async_client.get("/whoami/")).content, visit)
        self.assertEqual(await run_sync(Session.objects.count), 1)

    async def test_each_client_has_a_session_of_its_own(self):
        await run_sync(self.async_client.force_login, self.admin)
        self.assertEqual((await self.async_client.get("/whoami/")).content, b"admin 1")
        self.assertEqual((await AsyncClient().get("/whoami/")).content, b"nobody 1")

    def test_the_admin_works_with_the_synchronous_client(self):
        self.client.force_login(self.admin)
        data = {"owner": "Cleo", "balance": "5", "user": ""}
        self.assertEqual(self.client.post("/admin/bank/account/add/", data).status_code, 302)
        self.assertContains(self.client.get("/admin/bank/account/"), "Cleo")

    async def test_the_admin_works_with_the_asynchronous_client(self):
        await run_sync(self.async_client.force_login, self.admin)
        response = await self.async_client.get("/admin/bank/account/")
        self.assertContains(response, "Ada")

    async def test_a_coroutine_view_needs_no_thread(self):
        with no_threads():
            await self.async_client.get("/accounts/")

    async def test_what_goes_to_a_thread_in_production_is_told(self):
        with hops() as found:
            await self.async_client.get("/accounts-in-thread/")
        self.assertEqual(found.threads, ["bank.views.accounts_in_thread"])


class RunnerTests(TestCase):
    async def test_subtests_are_in_one_transaction(self):
        for number in (1, 2):
            with self.subTest(number=number):
                await Account.objects.acreate(owner=f"A{number}")
                self.assertEqual(await Account.objects.acount(), number)

    @unittest.skip("as an example")
    async def test_a_test_is_skipped(self):
        self.fail("was not skipped")

    @unittest.expectedFailure
    async def test_a_failure_is_expected(self):
        self.assertEqual(await Account.objects.acount(), 1)
