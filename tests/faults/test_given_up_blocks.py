"""A block that ends without an exception has committed, unless its own code closed the connection.

Django says nothing of that at the block's end, and neither do we.
"""

import asyncio
import contextlib

import psycopg
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, close_old_connections, connection, connections, transaction
from django.db.transaction import TransactionManagementError

from tests.testapp.models import Author
from tests.waiting import FOREVER, until_asleep
from turbo_orm import atomic, await_, close_pools, eager, on_commit, portal, run_sync, set_rollback

pytestmark = pytest.mark.needs_thread("some ways to give a block up are a thread's")


async def names():
    return [name async for name in Author.objects.order_by("name").values_list("name", flat=True)]


def sleep_in_server(seconds=FOREVER):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


# Ways in which a block may be given up; each hides its error from the block.


async def statement_interrupted():
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(run_sync(sleep_in_server), 0.01)


async def task_cancelled():
    child = asyncio.create_task(run_sync(sleep_in_server))
    await until_asleep()
    child.cancel()
    await asyncio.wait({child})


async def turn_not_come():
    async with turn_of_another():
        await asyncio.wait_for(Author.objects.acount(), 0.01)


@contextlib.asynccontextmanager
async def turn_of_another():
    """Let another task have the turn until what waits for it has timed out."""

    def hold():
        with transaction.atomic():
            entered.set()
            await_(go_on.wait())

    entered, go_on = asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(run_sync(hold))
    await entered.wait()
    with contextlib.suppress(asyncio.TimeoutError):
        yield
    go_on.set()
    # It was not interrupted.
    await holding


async def inner_block_not_entered():
    """As ``asyncio.timeout()`` does it: a task of its own could not open a block here."""
    task = asyncio.current_task()
    async with turn_of_another():
        asyncio.get_running_loop().call_later(0.01, task.cancel)
        try:
            await atomic().__aenter__()
        except asyncio.CancelledError:
            if hasattr(task, "uncancel"):
                task.uncancel()
            raise asyncio.TimeoutError from None


async def interrupted_and_asked_again():
    await statement_interrupted()
    with contextlib.suppress(DatabaseError):
        await Author.objects.acreate(name="refused")


async def interrupted_in_inner_block_without_savepoint():
    with contextlib.suppress(asyncio.TimeoutError, TransactionManagementError):
        async with atomic(savepoint=False):
            await statement_interrupted()


async def connection_closed():
    await run_sync(lambda: connection.close())


async def connection_closed_and_asked_again():
    await run_sync(lambda: connection.close())
    with contextlib.suppress(DatabaseError):
        await Author.objects.acreate(name="refused")


async def connection_closed_in_thread():
    await sync_to_async(lambda: connection.close())()


async def all_closed():
    await run_sync(connections.close_all)


async def socket_closed():
    """What the library does where a connection is in doubt."""
    await run_sync(lambda: connection.connection.pgconn.finish())


async def session_ended():
    await end_session()
    with contextlib.suppress(DatabaseError):
        await Author.objects.acount()


async def session_ended_unnoticed():
    await end_session()


async def session_ended_while_saving():
    await end_session()
    with contextlib.suppress(DatabaseError):
        await Author.objects.acreate(name="refused")


async def end_session():
    pid = await run_sync(lambda: connection.connection.info.backend_pid)
    parameters = transaction.get_connection().get_connection_params()
    wanted = {
        key: it for key, it in parameters.items() if key in {"host", "port", "user", "dbname"}
    }
    async with await psycopg.AsyncConnection.connect(**wanted, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


async def expired():
    """What the library does where a block cannot be left properly."""
    from turbo_orm.leases.holds import current_hold

    current_hold("default").transaction.expire()


async def old_connections_closed():
    await run_sync(close_old_connections)


async def pools_closed():
    await close_pools()


async def inner_block_interrupted():
    with contextlib.suppress(asyncio.TimeoutError):
        async with atomic():
            await Author.objects.acreate(name="inner")
            await asyncio.wait_for(run_sync(sleep_in_server), 0.01)


async def error_forgotten():
    await run_sync(connection.savepoint)
    set_rollback(True)
    set_rollback(False)


async def nothing():
    await Author.objects.acount()


GIVEN_UP = [
    statement_interrupted,
    task_cancelled,
    turn_not_come,
    interrupted_and_asked_again,
    interrupted_in_inner_block_without_savepoint,
    socket_closed,
    session_ended,
    session_ended_unnoticed,
    session_ended_while_saving,
    expired,
]
CLOSED = [
    connection_closed,
    connection_closed_and_asked_again,
    connection_closed_in_thread,
    all_closed,
    old_connections_closed,
]
KEPT = [pools_closed, inner_block_interrupted, inner_block_not_entered, error_forgotten, nothing]


async def outside(coroutine):
    await coroutine


async def in_run_sync(coroutine):
    await run_sync(await_, coroutine)


async def in_eager(coroutine):
    await eager(await_, coroutine)


PLACES = [outside, portal, in_run_sync, in_eager]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", GIVEN_UP + KEPT)
async def test_a_block_that_ends_without_an_exception_has_committed(way, place, full_pool):
    committed, raised = [], []

    async def work():
        async with atomic():
            await Author.objects.acreate(name="row")
            await on_commit(lambda: committed.append(True))
            await way()

    try:
        await place(work())
    except DatabaseError as error:
        raised.append(error)

    assert (await names(), committed, len(raised)) == (
        (["row"], [True], 0) if way in KEPT else ([], [], 1)
    )


def close(sabotage):
    """Close the connection in a block of plain Django's, in a thread; return what is left."""
    try:
        with transaction.atomic():
            Author.objects.create(name="row")
            sabotage()
        return list(Author.objects.values_list("name", flat=True))
    finally:
        connection.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", CLOSED)
async def test_a_block_whose_code_closes_the_connection_ends_as_in_django(way, place, full_pool):
    # Looked up in the thread, whose connection it is.
    sabotages = {all_closed: connections.close_all, old_connections_closed: close_old_connections}
    sabotage = sabotages.get(way, lambda: connection.close())
    expected = await asyncio.to_thread(close, sabotage)

    async def work():
        async with atomic():
            await Author.objects.acreate(name="row")
            await way()

    await Author.objects.all().adelete()
    await place(work())
    assert await names() == expected


@pytest.mark.parametrize("way", [statement_interrupted, turn_not_come, task_cancelled])
async def test_the_outer_block_goes_on_after_an_inner_one_that_was_given_up(way):
    async with atomic():
        await Author.objects.acreate(name="outer")
        with pytest.raises(TransactionManagementError, match="was interrupted"):
            async with atomic():
                await Author.objects.acreate(name="inner")
                await way()
        await Author.objects.acreate(name="after")

    assert await names() == ["after", "outer"]


@pytest.mark.parametrize("place", [portal, in_run_sync, in_eager])
async def test_a_synchronous_block_in_the_bridge_is_not_given_up_silently(place):
    async def work():
        with transaction.atomic():
            Author.objects.create(name="row")
            await statement_interrupted()

    with pytest.raises(TransactionManagementError, match="was interrupted"):
        await place(work())
    assert await names() == []


async def test_a_block_of_a_thread_is_not_given_up_silently(no_connection_of_asgirefs_thread):
    async def view():
        # The thread ends the statement: nothing interrupts a thread.
        sleep_in_server(0.2)

    async def interrupted():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(portal(view()), 0.02)

    def call():
        with transaction.atomic():
            Author.objects.create(name="row")
            async_to_sync(interrupted)()

    with pytest.raises(TransactionManagementError, match="was interrupted"):
        await sync_to_async(call)()
    assert await names() == []


@pytest.mark.parametrize("rolls_back", [True, False])
async def test_who_says_whether_the_block_rolls_back_has_the_last_word(rolls_back):
    async with atomic():
        await Author.objects.acreate(name="row")
        sid = await run_sync(lambda: connection.savepoint())
        await statement_interrupted()
        set_rollback(rolls_back)
        if not rolls_back:
            await run_sync(transaction.savepoint_rollback, sid)

    assert await names() == ([] if rolls_back else ["row"])
