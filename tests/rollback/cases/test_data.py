"""What test cases begin with, and that each test begins with the same."""

from bank.models import Account, Currency, Entry, Plain
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.test.testcases import DatabaseOperationForbidden

from turbo_orm import pool_stats, run_sync
from turbo_orm.test import TestCase, TransactionTestCase


class SynchronousDataTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ada = Account.objects.create(owner="Ada", balance=100)

    def setUp(self):
        Account.objects.create(owner="from setUp")

    async def asyncSetUp(self):
        await Account.objects.acreate(owner="from asyncSetUp")

    async def asyncTearDown(self):
        assert await Account.objects.filter(owner="from asyncSetUp").aexists()

    def tearDown(self):
        assert Account.objects.filter(owner="from setUp").exists()

    async def test_a_coroutine_sees_what_each_of_them_made(self):
        names = [account.owner async for account in Account.objects.all()]
        self.assertEqual(names, ["Ada", "from asyncSetUp", "from setUp"])

    def test_a_synchronous_test_sees_what_each_of_them_made(self):
        names = [account.owner for account in Account.objects.all()]
        self.assertEqual(names, ["Ada", "from asyncSetUp", "from setUp"])

    async def test_one_test_changes_the_data_of_the_class(self):
        self.assertEqual(self.ada.balance, 100)
        self.ada.balance = 1
        await self.ada.asave()
        self.assertEqual((await Account.objects.aget(owner="Ada")).balance, 1)

    def test_another_test_changes_it_too(self):
        self.assertEqual(self.ada.balance, 100)
        self.ada.balance = 2
        self.ada.save()
        self.assertEqual(Account.objects.get(owner="Ada").balance, 2)

    async def test_a_third_deletes_it(self):
        self.assertEqual((await Account.objects.aget(pk=self.ada.pk)).balance, 100)
        await self.ada.adelete()
        self.assertEqual(await Account.objects.acount(), 2)


class AwaitedDataTests(TestCase):
    @classmethod
    async def setUpTestData(cls):
        cls.grace = await Account.objects.acreate(owner="Grace", balance=50)
        cls.entries = await Entry.objects.abulk_create(
            [Entry(account=cls.grace, amount=n) for n in (20, 30)]
        )

    async def test_rows_are_there(self):
        self.assertEqual([e.amount async for e in self.grace.entries.order_by("amount")], [20, 30])

    def test_related_objects_are_copies_of_this_test_alone(self):
        self.grace.entries.all().delete()
        self.entries[0].account.owner = "changed"
        self.assertEqual(self.entries[0].account.owner, self.entries[1].account.owner)

    async def test_and_are_as_they_were_in_the_next(self):
        self.assertEqual(self.entries[0].account.owner, "Grace")
        self.assertEqual(await self.grace.entries.acount(), 2)

    async def test_cleanup_may_query(self):
        async def check():
            self.assertTrue(await Account.objects.filter(owner="Grace").aexists())

        self.addAsyncCleanup(check)


class DataOfTheClassAboveTests(AwaitedDataTests):
    @classmethod
    async def setUpTestData(cls):
        await super().setUpTestData()
        cls.more = await Account.objects.acreate(owner="Hedy")

    async def test_rows_of_both_classes_are_there(self):
        self.assertEqual([a.owner async for a in Account.objects.all()], ["Grace", "Hedy"])


class FixtureTests(TestCase):
    fixtures = ["bank"]

    async def test_a_coroutine_sees_the_rows_of_fixtures(self):
        account = await Account.objects.aget(pk=1001)
        self.assertEqual((account.balance, await account.entries.acount()), (7, 1))

    async def test_fixtures_can_be_loaded_in_the_bridge(self):
        await Account.objects.all().adelete()
        await run_sync(call_command, "loaddata", "bank", verbosity=0)
        self.assertTrue(await Account.objects.filter(pk=1001).aexists())


class TwoDatabasesTests(TestCase):
    databases = {"default", "other"}

    async def test_rows_are_written_to_each_of_two_databases(self):
        await Account.objects.acreate(owner="here")
        await Account.objects.using("other").acreate(owner="there")
        self.assertEqual([a.owner async for a in Account.objects.all()], ["here"])
        self.assertEqual([a.owner async for a in Account.objects.using("other")], ["there"])

    async def test_and_are_gone_from_both(self):
        self.assertEqual(await Account.objects.acount(), 0)
        self.assertEqual(await Account.objects.using("other").acount(), 0)

    def test_synchronous_code_uses_the_same_two(self):
        Account.objects.using("other").create(owner="there")
        self.assertEqual(Account.objects.using("other").count(), 1)


class OneDatabaseTests(TestCase):
    async def test_the_other_database_is_out_of_bounds_for_coroutines(self):
        with self.assertRaisesMessage(DatabaseOperationForbidden, "Add 'other' to"):
            await Account.objects.using("other").acount()

    def test_the_other_database_is_out_of_bounds_for_synchronous_code(self):
        with self.assertRaisesMessage(DatabaseOperationForbidden, "Add 'other' to"):
            Account.objects.using("other").count()


class SerializedTests(TransactionTestCase):
    serialized_rollback = True

    async def test_rows_of_migrations_are_there_and_can_be_deleted(self):
        self.assertEqual([c.code async for c in Currency.objects.all()], ["EUR"])
        await Currency.objects.all().adelete()

    async def test_rows_of_migrations_are_there_again(self):
        self.assertEqual([c.code async for c in Currency.objects.all()], ["EUR"])
        await Plain.objects.acreate(name="committed")
        self.assertFalse(connection.in_atomic_block)
        self.assertGreater(pool_stats().size, 0)


class OverriddenSettingsTests(TestCase):
    def zone(self):
        with connection.cursor() as cursor:
            cursor.execute("SHOW TIME ZONE")
            return cursor.fetchone()[0]

    @override_settings(USE_TZ=False, TIME_ZONE="Europe/Paris")
    async def test_a_decorated_coroutine_has_the_time_zone_of_its_settings(self):
        await Account.objects.acreate(owner="Ada")
        self.assertEqual(await run_sync(self.zone), "Europe/Paris")

    async def test_a_block_has_the_time_zone_of_its_settings(self):
        await Account.objects.acreate(owner="Ada")
        with self.settings(USE_TZ=False, TIME_ZONE="Europe/Paris"):
            self.assertEqual(await run_sync(self.zone), "Europe/Paris")
        self.assertEqual(await run_sync(self.zone), "UTC")

    def test_the_settings_of_no_other_test_are_left_in_the_session(self):
        self.assertEqual(self.zone(), "UTC")
