"""`atomic`: what is committed, what is rolled back, and who is inside."""

import asyncio
import contextvars
from functools import partial
from inspect import isawaitable

import pytest
from django.db import Error, IntegrityError, connection, connections, transaction
from django.db.transaction import TransactionManagementError

from tests.testapp.models import Author
from tests.waiting import FOREVER
from turbo_orm import atomic, eager, on_commit, portal, run_sync, set_rollback
from turbo_orm.transaction import (
    get_rollback,
    in_atomic_block,
    savepoint,
    savepoint_commit,
    savepoint_rollback,
)


async def names() -> list[str]:
    return [name async for name in Author.objects.order_by("name").values_list("name", flat=True)]


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


async def test_block_commits_when_it_ends_normally():
    async with atomic():
        await Author.objects.acreate(name="Ada")
        await Author.objects.acreate(name="Bob")

    assert await names() == ["Ada", "Bob"]


async def test_block_rolls_back_on_an_exception():
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await Author.objects.acreate(name="Ada")
            raise ZeroDivisionError

    assert await names() == []


async def test_rows_of_an_open_block_are_invisible_to_a_sibling_task():
    entered, looked = asyncio.Event(), asyncio.Event()

    async def sibling():
        await entered.wait()
        seen = await names()
        assert not in_atomic_block()
        looked.set()
        return seen

    task = asyncio.create_task(sibling())
    async with atomic():
        await Author.objects.acreate(name="Ada")
        entered.set()
        await looked.wait()

    assert await task == []


async def test_write_of_a_sibling_task_survives_the_rollback_of_the_block():
    entered, written = asyncio.Event(), asyncio.Event()

    async def sibling():
        await entered.wait()
        await Author.objects.acreate(name="sibling")
        written.set()

    task = asyncio.create_task(sibling())
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await Author.objects.acreate(name="Ada")
            entered.set()
            await written.wait()
            raise ZeroDivisionError
    await task

    assert await names() == ["sibling"]


async def test_twenty_tasks_started_in_a_block_take_turns_on_its_one_connection():
    async def write(number):
        await Author.objects.acreate(name=f"{number:02}")
        return await run_sync(backend_pid)

    async with atomic():
        pids = await asyncio.gather(*(write(number) for number in range(20)))
        assert await names() == [f"{number:02}" for number in range(20)]
        set_rollback(True)

    assert len(set(pids)) == 1
    assert await names() == []


async def test_compound_operations_of_gathered_tasks_do_not_interleave():
    async def write(number):
        author, created = await Author.objects.aget_or_create(name=f"{number % 3}")
        await author.adelete()
        return created

    async with atomic():
        created = await asyncio.gather(*(write(number) for number in range(9)))

    assert created.count(True) >= 3
    assert await names() == []


async def test_task_started_in_a_block_cannot_open_a_block_of_its_own():
    async def nested():
        async with atomic():
            await Author.objects.acreate(name="never")

    async with atomic():
        await Author.objects.acreate(name="Ada")
        with pytest.raises(TransactionManagementError, match="cannot open a block of its own"):
            await asyncio.create_task(nested())

    assert await names() == ["Ada"]


async def test_task_that_outlives_its_block_gets_an_error_and_writes_nothing():
    ended = asyncio.Event()

    async def late():
        await ended.wait()
        await Author.objects.acreate(name="late")

    async with atomic():
        task = asyncio.create_task(late())
    ended.set()

    with pytest.raises(TransactionManagementError, match="has ended"):
        await task
    assert await names() == []


async def test_task_started_outside_every_context_is_in_no_block():
    async with atomic():
        await Author.objects.acreate(name="Ada")
        task = contextvars.Context().run(asyncio.create_task, Author.objects.acreate(name="free"))
        await task
        set_rollback(True)

    assert await names() == ["free"]


async def test_inner_block_rolls_back_alone():
    async with atomic():
        await Author.objects.acreate(name="outer")
        with pytest.raises(ZeroDivisionError):
            async with atomic():
                await Author.objects.acreate(name="inner")
                raise ZeroDivisionError
        await Author.objects.acreate(name="after")

    assert await names() == ["after", "outer"]


async def test_inner_block_without_savepoint_dooms_the_outer_one():
    async with atomic():
        await Author.objects.acreate(name="outer")
        with pytest.raises(ZeroDivisionError):
            async with atomic(savepoint=False):
                raise ZeroDivisionError
        assert get_rollback() is True
        with pytest.raises(TransactionManagementError):
            await Author.objects.acreate(name="too late")

    assert await names() == []


async def test_durable_block_refuses_to_be_nested():
    async with atomic():
        with pytest.raises(RuntimeError, match="durable"):
            async with atomic(durable=True):
                pass

    async with atomic(durable=True):
        await Author.objects.acreate(name="durable")
    assert await names() == ["durable"]


async def test_database_error_inside_a_block_rolls_it_back():
    with pytest.raises(IntegrityError):
        async with atomic():
            await Author.objects.acreate(name="Ada", pk=1)
            await Author.objects.abulk_create([Author(name="twin", pk=1)])

    assert await names() == []


async def test_decorated_coroutine_runs_in_a_block_of_its_own_each_time():
    @atomic
    async def bare(name):
        await Author.objects.acreate(name=name)
        return in_atomic_block()

    @atomic(using="default")
    async def failing(name):
        await Author.objects.acreate(name=name)
        raise ZeroDivisionError

    assert await asyncio.gather(bare("a"), bare("b")) == [True, True]
    with pytest.raises(ZeroDivisionError):
        await failing("c")
    assert in_atomic_block() is False
    assert await names() == ["a", "b"]


async def test_decorated_function_and_with_statement_work_in_the_bridge():
    @atomic
    def decorated():
        Author.objects.create(name="decorated")
        return transaction.get_connection().in_atomic_block

    def with_statement():
        with atomic():
            Author.objects.create(name="with")

    assert await run_sync(decorated) is True
    await run_sync(with_statement)
    assert await names() == ["decorated", "with"]


async def test_blocks_of_two_databases_are_independent():
    async with atomic("default"), atomic("other"):
        await Author.objects.acreate(name="default")
        await Author.objects.using("other").acreate(name="other")
        set_rollback(True, using="other")

    assert await names() == ["default"]
    assert await Author.objects.using("other").acount() == 0


async def test_on_commit_runs_sync_and_async_callbacks_after_the_commit_in_order():
    seen = []

    async def asynchronous():
        seen.append(("async", await Author.objects.acount(), in_atomic_block()))

    def synchronous():
        seen.append(("sync", Author.objects.count(), transaction.get_connection().in_atomic_block))

    async with atomic():
        await Author.objects.acreate(name="Ada")
        await on_commit(synchronous)
        await on_commit(asynchronous)
        await on_commit(lambda: asynchronous())
        assert seen == []

    assert seen == [("sync", 1, False), ("async", 1, False), ("async", 1, False)]


@pytest.mark.parametrize("where", [lambda awaitable: awaitable, portal], ids=["outside", "bridge"])
async def test_a_task_or_a_future_that_a_commit_callback_returns_is_not_waited_for(where):
    goes_on = asyncio.Event()
    begun = []

    async def commit():
        async with atomic():
            await Author.objects.acreate(name="Ada")
            await on_commit(lambda: begun.append(asyncio.create_task(goes_on.wait())) or begun[-1])
            await on_commit(lambda: asyncio.get_running_loop().create_future())

    await asyncio.wait_for(where(commit()), FOREVER)

    assert (await names(), begun[0].done()) == (["Ada"], False)
    goes_on.set()
    await begun[0]


async def test_on_commit_is_forgotten_with_the_savepoint_or_block_that_is_rolled_back():
    seen = []
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await on_commit(lambda: seen.append("outer"))
            raise ZeroDivisionError
    async with atomic():
        with pytest.raises(ZeroDivisionError):
            async with atomic():
                await on_commit(lambda: seen.append("inner"))
                raise ZeroDivisionError
        await on_commit(lambda: seen.append("kept"))

    assert seen == ["kept"]


async def test_on_commit_without_a_block_runs_at_once():
    seen = []
    await on_commit(lambda: seen.append("now"))
    assert seen == ["now"]


async def test_robust_callback_that_fails_is_logged_and_the_next_one_runs(caplog):
    seen = []

    def fail():
        raise ZeroDivisionError

    async with atomic():
        await on_commit(fail, robust=True)
        await on_commit(lambda: seen.append("next"))

    assert seen == ["next"]
    assert "Error calling" in caplog.text


async def test_on_commit_refuses_what_cannot_be_called():
    with pytest.raises(TypeError):
        await on_commit("nothing to call")


async def test_savepoints_by_hand():
    async with atomic():
        kept = await savepoint()
        await Author.objects.acreate(name="kept")
        await savepoint_commit(kept)
        undone = await savepoint()
        await Author.objects.acreate(name="undone")
        await savepoint_rollback(undone)

    assert await names() == ["kept"]


async def test_flags_outside_a_block_are_refused_as_in_django():
    with pytest.raises(TransactionManagementError):
        set_rollback(True)
    with pytest.raises(TransactionManagementError):
        get_rollback()


def switch_off():
    transaction.set_autocommit(False)


def write_without_commit():
    transaction.set_autocommit(False)
    Author.objects.create(name="lost")


def begin_by_hand():
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    Author.objects.create(name="lost")


def enter_by_hand():
    transaction.atomic().__enter__()
    Author.objects.create(name="lost")


async def in_portal(function):
    async def call():
        function()
        await asyncio.sleep(0)

    await portal(call())


async def in_eager(function):
    waiting = eager(function)
    if isawaitable(waiting):
        await waiting


@pytest.mark.parametrize(
    "function", [switch_off, write_without_commit, begin_by_hand, enter_by_hand]
)
@pytest.mark.parametrize("run", [run_sync, in_portal, in_eager])
async def test_a_transaction_left_open_by_a_function_is_refused(run, function):
    with pytest.raises(TransactionManagementError, match=r"left open.*async with atomic\(\)"):
        await run(function)

    assert await names() == []


async def test_a_transaction_that_raw_sql_began_stays_open_while_a_portal_waits():
    def end():
        with connection.cursor() as cursor:
            cursor.execute("COMMIT")

    async def view():
        begin_by_hand()
        await asyncio.sleep(0)
        end()

    await portal(view())

    assert await names() == ["lost"]


async def test_a_function_that_fails_in_an_open_transaction_raises_its_own_error():
    def fail():
        write_without_commit()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run_sync(fail)
    assert await names() == []


def commit_by_hand():
    transaction.set_autocommit(False)
    try:
        Author.objects.create(name="undone")
        transaction.rollback()
        Author.objects.create(name="kept")
        transaction.commit()
    finally:
        transaction.set_autocommit(True)


@pytest.mark.parametrize("run", [run_sync, in_portal, in_eager])
async def test_a_transaction_ended_by_the_function_that_began_it_is_as_in_django(run):
    await run(commit_by_hand)

    assert await names() == ["kept"]


OUTSIDE = [
    transaction.commit,
    transaction.rollback,
    lambda: transaction.get_connection().savepoint(),
    transaction.clean_savepoints,
    transaction.get_autocommit,
    partial(transaction.set_autocommit, True),
    partial(transaction.set_rollback, True),
    transaction.get_rollback,
]


def outcome(function):
    """Return what a function of Django's does where no block is open."""
    try:
        return function()
    except TransactionManagementError as error:
        return str(error)


@pytest.mark.needs_thread("Django itself is asked there")
async def test_what_django_does_outside_of_a_block_is_the_same_in_the_bridge():
    def ask_django():
        try:
            return [outcome(function) for function in OUTSIDE]
        finally:
            connection.close()

    expected = await asyncio.to_thread(ask_django)

    assert [await run_sync(outcome, function) for function in OUTSIDE] == expected


async def test_connection_closed_inside_a_block_rolls_back_and_the_next_operation_works():
    def close():
        connection.close()

    with pytest.raises(Exception, match="closed"):
        async with atomic():
            await Author.objects.acreate(name="Ada")
            await run_sync(close)
            await Author.objects.acreate(name="Bob")

    assert await names() == []


async def test_task_that_ends_inside_a_block_leaves_nothing_open(caplog):
    async def forgetful():
        block = atomic()
        await block.__aenter__()
        await Author.objects.acreate(name="lost")

    await asyncio.create_task(forgetful())
    await asyncio.sleep(0)

    assert await names() == []
    assert "ended inside an atomic block" in caplog.text


async def test_same_block_object_can_be_entered_again_and_nested():
    block = atomic()
    async with block:
        await Author.objects.acreate(name="a")
        with pytest.raises(ZeroDivisionError):
            async with block:
                await Author.objects.acreate(name="b")
                raise ZeroDivisionError
    async with block:
        await Author.objects.acreate(name="c")

    assert await names() == ["a", "c"]


async def test_block_entered_in_a_pool_of_one_does_not_wait_for_itself():
    async with atomic("other"):
        await Author.objects.using("other").acreate(name="a")

        async def hook():
            await Author.objects.using("other").acreate(name="from the hook")

        await on_commit(hook, using="other")

    assert await Author.objects.using("other").acount() == 2


async def test_function_goes_on_after_closing_its_connection_inside_a_block():
    def close_and_go_on():
        with pytest.raises(Error), transaction.atomic():
            Author.objects.create(name="lost")
            connection.close()
            Author.objects.create(name="lost too")
        count = Author.objects.count()
        with transaction.atomic():
            Author.objects.create(name="kept")
        return count

    assert await run_sync(close_and_go_on) == 0
    assert await names() == ["kept"]


async def test_failed_robust_callback_is_named_as_it_was_given(caplog):
    callback = partial(int, "no number")

    await on_commit(callback, robust=True)

    assert f"Error calling {callback} in on_commit()" in caplog.text


async def test_connection_object_kept_from_before_the_block_is_the_block_s_connection():
    def execute(kept):
        with kept.cursor() as cursor:
            cursor.execute("INSERT INTO testapp_author (name, age) VALUES ('kept', 0)")

    async def view():
        kept = connections["default"]
        await Author.objects.acount()
        async with atomic():
            execute(kept)
            set_rollback(True)
        execute(kept)

    await portal(view())

    assert await names() == ["kept"]
