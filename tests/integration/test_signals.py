"""Signals: receivers, synchronous or not, run where the sender runs, in its transaction."""

import asyncio
import contextvars

import django
import pytest
from django.core.signals import Signal
from django.db import connection
from django.db.models.signals import post_save, pre_delete

from tests.testapp.models import Author, Plain, Tag
from tests.waiting import FOREVER
from turbo_orm import atomic, in_bridge, run_sync

pytestmark = pytest.mark.rolled_back

needs_async_receivers = pytest.mark.skipif(
    django.VERSION < (5, 0), reason="asynchronous receivers came with Django 5.0"
)
marker = contextvars.ContextVar("marker", default=None)


@pytest.fixture
def connected():
    """Connect receivers to a signal; all are disconnected after the test."""
    pairs = []

    def connect(signal, receiver, **options):
        signal.connect(receiver, weak=False, **options)
        pairs.append((signal, receiver, options.get("sender")))

    yield connect
    for signal, receiver, sender in pairs:
        signal.disconnect(receiver, sender=sender)


async def test_a_synchronous_receiver_runs_in_the_senders_transaction(connected):
    def receiver(instance, **kwargs):
        Tag.objects.create(name=f"{instance.name} {connection.in_atomic_block}")

    connected(post_save, receiver, sender=Author)
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await Author.objects.acreate(name="gone")
            assert await Tag.objects.values_list("name", flat=True).alist() == ["gone True"]
            _ = 1 / 0

    assert await Tag.objects.acount() == 0


async def test_an_error_of_a_receiver_reaches_who_saved(connected):
    def receiver(**kwargs):
        raise RuntimeError("no")

    connected(post_save, receiver, sender=Author)

    with pytest.raises(RuntimeError, match="no"):
        await Author.objects.acreate(name="x")


@needs_async_receivers
async def test_an_asynchronous_receiver_runs_in_the_senders_task_and_transaction(connected):
    task, seen = asyncio.current_task(), []

    async def receiver(instance, **kwargs):
        await Tag.objects.acreate(name=instance.name)
        seen.append((asyncio.current_task() is task, in_bridge(), connection.in_atomic_block))

    connected(post_save, receiver, sender=Author)
    with pytest.raises(ZeroDivisionError):
        async with atomic():
            await Author.objects.acreate(name="gone")
            assert await Tag.objects.acount() == 1
            _ = 1 / 0

    assert seen == [(True, True, True)]
    assert await Tag.objects.acount() == 0


@needs_async_receivers
@pytest.mark.parametrize("model", [Author, Plain])
async def test_asynchronous_receivers_run_for_every_way_to_write(connected, model):
    seen = []

    async def receiver(instance, signal, **kwargs):
        seen.append((instance.name, signal is pre_delete, await model.objects.acount()))

    connected(post_save, receiver, sender=model)
    connected(pre_delete, receiver, sender=model)
    made = await model.objects.acreate(name="a")
    made.name = "b"
    await made.asave()
    await model.objects.aget_or_create(name="c")
    await made.adelete()
    await run_sync(model.objects.all().delete)

    assert seen == [
        *(("a", False, 1), ("b", False, 1), ("c", False, 2)),
        *(("b", True, 2), ("c", True, 1)),
    ]


@needs_async_receivers
async def test_asynchronous_receivers_run_one_after_the_other_in_order(connected):
    signal, order = Signal(), []

    def made(name):
        async def receiver(**kwargs):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            await Author.objects.acount()
            order.append(f"{name} ends")
            return name

        return receiver

    receivers = [made(name) for name in ("first", "second")]
    for receiver in receivers:
        connected(signal, receiver)
    responses = await run_sync(signal.send, sender=None)

    assert order == ["first begins", "first ends", "second begins", "second ends"]
    assert responses == [(receivers[0], "first"), (receivers[1], "second")]


@needs_async_receivers
async def test_a_failing_asynchronous_receiver_stops_the_others(connected):
    signal, seen = Signal(), []

    async def failing(**kwargs):
        raise RuntimeError("no")

    async def other(**kwargs):
        seen.append("ran")

    connected(signal, failing)
    connected(signal, other)

    with pytest.raises(RuntimeError, match="no"):
        await run_sync(signal.send, sender=None)
    assert seen == []


@needs_async_receivers
async def test_send_robust_gives_errors_as_responses(connected):
    signal, error = Signal(), RuntimeError("no")

    async def failing(**kwargs):
        raise error

    async def working(**kwargs):
        return await Author.objects.acount()

    def synchronous(**kwargs):
        return Author.objects.count()

    for receiver in (failing, working, synchronous):
        connected(signal, receiver)
    responses = dict(await run_sync(signal.send_robust, sender=None))

    assert responses == {failing: error, working: 0, synchronous: 0}


@needs_async_receivers
@pytest.mark.parametrize("method", ["asend", "asend_robust"])
async def test_asend_runs_synchronous_receivers_without_a_thread(connected, method):
    signal = Signal()

    def synchronous(**kwargs):
        return "sync", Author.objects.count(), connection.in_atomic_block

    async def asynchronous(**kwargs):
        return "async", await Author.objects.acount(), connection.in_atomic_block

    connected(signal, synchronous)
    connected(signal, asynchronous)
    async with atomic():
        await Author.objects.acreate(name="x")
        responses = dict(await getattr(signal, method)(sender=None))

    assert responses == {synchronous: ("sync", 1, True), asynchronous: ("async", 1, True)}


@needs_async_receivers
async def test_what_a_receiver_sets_in_the_context_is_seen_by_who_saved(connected):
    async def receiver(**kwargs):
        marker.set("set")

    connected(post_save, receiver, sender=Author)
    await Author.objects.acreate(name="x")

    assert marker.get() == "set"


@needs_async_receivers
async def test_a_cancellation_reaches_an_asynchronous_receiver(connected):
    ended = []

    async def receiver(**kwargs):
        try:
            begun.set()
            await asyncio.sleep(FOREVER)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    connected(post_save, receiver, sender=Author)

    @atomic
    async def save():
        await Author.objects.acreate(name="x")

    begun = asyncio.Event()
    task = asyncio.create_task(save())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended == ["cancelled"]
    assert await Author.objects.acount() == 0


@needs_async_receivers
@pytest.mark.needs_thread("without a loop asgiref makes one in a thread")
def test_without_a_loop_asynchronous_receivers_run_as_in_django(connected):
    signal = Signal()

    async def receiver(**kwargs):
        await asyncio.sleep(0)
        return "ran"

    connected(signal, receiver)

    assert signal.send(sender=None) == [(receiver, "ran")]
