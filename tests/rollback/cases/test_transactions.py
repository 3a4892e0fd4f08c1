"""Transactions inside the transaction of a test."""

import asyncio

from bank.models import Account, Entry, Plain
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save

from turbo_orm import atomic, on_commit, run_sync
from turbo_orm.test import SimpleTestCase, TestCase, TransactionTestCase

# Since Django 6.1 it has another name.
savepoint = getattr(transaction, "savepoint_create", None) or transaction.savepoint


class AtomicTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ada = Account.objects.create(owner="Ada", balance=100)

    async def owners(self):
        return [account.owner async for account in Account.objects.all()]

    async def test_a_block_that_fails_leaves_nothing_behind(self):
        with self.assertRaises(ZeroDivisionError):
            async with atomic():
                await Account.objects.acreate(owner="Grace")
                1 / 0  # noqa: B018
        self.assertEqual(await self.owners(), ["Ada"])

    async def test_an_inner_block_fails_alone(self):
        async with atomic():
            await Account.objects.acreate(owner="Grace")
            with self.assertRaises(ZeroDivisionError):
                async with atomic():
                    await Account.objects.acreate(owner="Hedy")
                    1 / 0  # noqa: B018
        self.assertEqual(await self.owners(), ["Ada", "Grace"])

    async def test_a_durable_block_is_outermost_here_too(self):
        async with atomic(durable=True):
            await Account.objects.acreate(owner="Grace")
            with self.assertRaisesMessage(RuntimeError, "durable"):
                async with atomic(durable=True):
                    pass
        self.assertEqual(await self.owners(), ["Ada", "Grace"])

    async def test_a_violated_constraint_is_survived_outside_of_its_block(self):
        self.ada.balance = -1
        with self.assertRaises(IntegrityError):
            async with atomic():
                await self.ada.asave()
        await self.ada.arefresh_from_db()
        self.assertEqual(self.ada.balance, 100)

    async def test_a_violated_constraint_ends_the_block_that_swallows_it(self):
        with self.assertRaises(transaction.TransactionManagementError):
            async with atomic():
                with self.assertRaises(IntegrityError):
                    await Account.objects.acreate(owner="Ada")
                await Account.objects.acount()

    async def test_blocks_of_several_tasks_follow_each_other(self):
        async def add(number):
            async with atomic():
                await Entry.objects.acreate(account=self.ada, amount=number)
                await asyncio.sleep(0.001)
                if number % 2:
                    raise ValueError(number)

        results = await asyncio.gather(*(add(n) for n in range(8)), return_exceptions=True)
        self.assertEqual([str(r) for r in results if r], ["1", "3", "5", "7"])
        kept = [entry.amount async for entry in self.ada.entries.order_by("amount")]
        self.assertEqual(kept, [0, 2, 4, 6])

    async def test_queries_of_several_tasks_take_turns(self):
        counts = await asyncio.gather(*(Account.objects.acount() for _ in range(20)))
        self.assertEqual(counts, [1] * 20)

    async def test_savepoints_are_undone_by_hand(self):
        def undo():
            saved = savepoint()
            Account.objects.create(owner="Grace")
            transaction.savepoint_rollback(saved)
            return Account.objects.count()

        self.assertEqual(await run_sync(undo), 1)

    async def test_rows_are_locked_and_streamed(self):
        async with atomic():
            await Account.objects.select_for_update().aget(pk=self.ada.pk)
            await Entry.objects.abulk_create(Entry(account=self.ada, amount=n) for n in range(30))
            found = [e.amount async for e in Entry.objects.order_by("amount").aiterator(7)]
        self.assertEqual(found, list(range(30)))

    async def test_rows_are_written_in_bulk(self):
        made = await Account.objects.abulk_create([Account(owner=f"B{n}") for n in range(5)])
        for account in made:
            account.balance = 3
        await Account.objects.abulk_update(made, ["balance"])
        self.assertEqual(await Account.objects.filter(balance=3).aupdate(balance=4), 5)

    async def test_signals_are_sent_in_the_transaction(self):
        def write_too(instance, **kwargs):
            Plain.objects.create(name=instance.owner)

        post_save.connect(write_too, sender=Account)
        try:
            await Account.objects.acreate(owner="Grace")
        finally:
            post_save.disconnect(write_too, sender=Account)
        self.assertEqual([plain.name async for plain in Plain.objects.all()], ["Grace"])


class CallbackTests(TestCase):
    def setUp(self):
        self.called = []

    async def test_nothing_is_called_unless_asked_for(self):
        async with atomic():
            await on_commit(lambda: self.called.append("never"))
        self.assertEqual(self.called, [])

    async def test_captured_callbacks_are_called_in_the_bridge(self):
        async def later():
            self.called.append(await Account.objects.acount())

        async with self.captureOnCommitCallbacks(execute=True) as callbacks:
            async with atomic():
                await Account.objects.acreate(owner="Ada")
                await on_commit(later)
                self.assertEqual(self.called, [])
        self.assertEqual((len(callbacks), self.called), (1, [1]))

    async def test_callbacks_of_a_block_that_failed_are_dropped(self):
        with self.captureOnCommitCallbacks() as callbacks:
            with self.assertRaises(ZeroDivisionError):
                async with atomic():
                    await on_commit(lambda: self.called.append("never"))
                    1 / 0  # noqa: B018
        self.assertEqual(callbacks, [])

    def test_synchronous_code_captures_them_as_ever(self):
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            transaction.on_commit(lambda: self.called.append("now"))
        self.assertEqual((len(callbacks), self.called), (1, ["now"]))


class QueryCountTests(TestCase):
    async def test_queries_of_every_task_count(self):
        with self.assertNumQueries(4):
            await asyncio.gather(*(Account.objects.acount() for _ in range(3)))
            await run_sync(Account.objects.count)

    async def test_a_coroutine_function_is_counted_while_it_is_awaited(self):
        await self.assertNumQueries(1, Account.objects.acount)

    async def test_too_many_queries_fail_the_test(self):
        with self.assertRaisesMessage(AssertionError, "1 queries executed, 0 expected"):
            with self.assertNumQueries(0):
                await Account.objects.acount()


class CommittedTests(TransactionTestCase):
    async def test_a_block_commits_and_what_waits_for_that_is_called(self):
        called = []
        async with atomic():
            await Account.objects.acreate(owner="Ada")
            await on_commit(lambda: called.append("now"))
        self.assertEqual(called, ["now"])
        self.assertEqual(await run_sync(lambda: connection.in_atomic_block), False)

    def test_tables_are_emptied_before_the_next(self):
        self.assertEqual(Account.objects.count(), 0)
        asyncio.run(Account.objects.acreate(owner="Grace"))
        self.assertEqual(Account.objects.count(), 1)


class NoDatabaseTests(SimpleTestCase):
    async def test_a_test_without_databases_gets_no_query(self):
        with self.assertRaisesMessage(AssertionError, "Database queries to 'default'"):
            await Account.objects.acount()
