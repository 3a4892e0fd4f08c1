"""Threads for what must not run on the loop: few at once, none left behind."""

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest

from tests.waiting import until
from turbo_orm import offload as offloading
from turbo_orm.bridge import await_thread, run_sync
from turbo_orm.offload import THREADS_MAX, offload

pytestmark = pytest.mark.needs_thread("what is tested here are threads")

VARIABLE = contextvars.ContextVar("VARIABLE", default="outside")


@pytest.fixture(autouse=True)
def no_thread_left():
    """Whatever a test does, its threads end."""
    # One of an earlier test may still be ending.
    before = {*threading.enumerate()}
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("turbo_orm"):
            thread.join(timeout=10)
    assert {*threading.enumerate()} <= before


class Gate:
    """Work that waits to be let through, and counts."""

    def __init__(self):
        self.open = threading.Event()
        self.lock = threading.Lock()
        self.begun = self.running = self.most = 0

    def __call__(self, result=None):
        with self.lock:
            self.begun += 1
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.open.wait(30)
        with self.lock:
            self.running -= 1
        if isinstance(result, BaseException):
            raise result
        return result

    async def until_begun(self, count):
        await until(lambda: self.begun >= count)


async def test_it_gives_the_result_or_raises_the_error_of_the_function():
    def divide(one, *, by):
        return one / by, threading.current_thread() is threading.main_thread()

    assert await offload(divide, 6, by=3) == (2, False)
    with pytest.raises(ZeroDivisionError):
        await offload(divide, 1, by=0)


async def test_an_error_that_no_future_may_have_arrives_all_the_same():
    with pytest.raises(RuntimeError, match="coroutine raised StopIteration"):
        await offload(next, iter([]))


async def test_the_function_runs_in_a_copy_of_the_context():
    def change():
        before = VARIABLE.get()
        VARIABLE.set("changed in the thread")
        return before

    VARIABLE.set("of the task")

    assert await offload(change) == "of the task"
    assert VARIABLE.get() == "of the task"


async def test_no_more_than_so_many_run_at_once_and_the_loop_goes_on():
    gate = Gate()
    waiting = [asyncio.create_task(offload(gate, n)) for n in range(THREADS_MAX + 3)]
    await gate.until_begun(THREADS_MAX)
    for _ in range(100):
        await asyncio.sleep(0)
    assert (gate.begun, [task.done() for task in waiting]) == (
        THREADS_MAX,
        [False] * (THREADS_MAX + 3),
    )
    gate.open.set()

    assert await asyncio.gather(*waiting) == list(range(THREADS_MAX + 3))
    assert gate.most == THREADS_MAX


async def test_no_thread_waits_for_more_work():
    before = threading.active_count()
    for _ in range(3):
        await asyncio.gather(*(offload(int) for _ in range(5)))
    while threading.active_count() > before:
        await asyncio.sleep(0.001)

    assert offloading._threads._executor is None


async def test_a_cancelled_wait_ends_at_once_and_the_works_error_disturbs_nobody():
    gate, told = Gate(), []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    waiting = asyncio.create_task(offload(gate, LookupError("nobody waits any more")))
    await gate.until_begun(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gate.running == 1
    gate.open.set()
    while offloading._threads._executor is not None:
        await asyncio.sleep(0.001)
    del waiting
    gc.collect()
    await asyncio.sleep(0)

    assert told == []


async def test_work_that_was_cancelled_before_its_turn_is_never_begun():
    gate, called = Gate(), []
    running = [asyncio.create_task(offload(gate)) for _ in range(THREADS_MAX)]
    await gate.until_begun(THREADS_MAX)
    waiting = asyncio.create_task(offload(called.append, "begun"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.open.set()
    await asyncio.gather(*running)

    assert await offload(lambda: called) == []


def test_work_that_outlives_its_loop_ends_in_silence(caplog):
    gate = Gate()

    async def leave_it():
        task = asyncio.create_task(offload(gate))
        await gate.until_begun(1)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(leave_it())
    loop.close()
    gate.open.set()
    while offloading._threads._executor is not None:
        gate.open.wait(0.001)
    threads = [t for t in threading.enumerate() if t.name.startswith("turbo_orm")]
    for thread in threads:
        thread.join()
    task._log_destroy_pending = False

    assert caplog.records == []


def test_each_loop_has_its_answer():
    async def ask():
        return await offload(lambda: threading.current_thread().name.split("_")[:2])

    assert [asyncio.run(ask()) for _ in range(3)] == [["turbo", "orm"]] * 3


async def test_a_failure_is_not_kept_alive_by_its_own_traceback():
    class Failure(Exception):
        pass

    def fail():
        raise Failure

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(Failure) as raised:
            await offload(fail)
        gone = weakref.ref(raised.value)
        del raised
        await until(lambda: offloading._threads._executor is None)
        # The thread that ends still has it for a moment.
        await until(lambda: gone() is None)
    finally:
        gc.enable()


async def test_work_for_which_there_was_no_thread_is_not_done_later(monkeypatch):
    done = []

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            await offload(done.append, "refused")
    await offload(done.append, "wanted")

    assert done == ["wanted"]


FORK = """
import asyncio, os, threading
from turbo_orm import offload as offloading
from turbo_orm.offload import offload

async def parent():
    release = threading.Event()
    begun = threading.Event()
    busy = asyncio.create_task(offload(lambda: begun.set() or release.wait(30)))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    offloading._threads._lock.acquire()
    process = os.fork()
    if not process:
        # The loop itself goes no further here: it would take what wakes that of the parent.
        finish(child())
    offloading._threads._lock.release()
    release.set()
    assert await busy is True
    _, status = os.waitpid(process, 0)
    print("child:", os.waitstatus_to_exitcode(status))

async def child():
    assert await asyncio.wait_for(offload(os.getpid), 20) == os.getpid()

def finish(coroutine):
    code = 1
    try:
        asyncio._set_running_loop(None)
        asyncio.new_event_loop().run_until_complete(coroutine)
        code = 0
    finally:
        os._exit(code)

loop = asyncio.new_event_loop()
loop.run_until_complete(parent())
loop.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_threads_of_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "child: 0\n", "")


async def test_from_the_bridge_it_is_awaited_as_from_a_coroutine():
    gate = Gate()
    inside = asyncio.create_task(run_sync(await_thread, gate, "result"))
    await gate.until_begun(1)
    gate.open.set()

    assert await inside == "result"


async def test_a_cancelled_job_leaves_its_thread_to_end_by_itself():
    gate = Gate()
    inside = asyncio.create_task(run_sync(await_thread, gate, LookupError()))
    await gate.until_begun(1)
    inside.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inside
    gate.open.set()
