"""Run synchronous code on the event loop: a greenlet sleeps where a thread would block.

The one idea: ``await_`` drives a coroutine from synchronous code and hands every future that it
yields to the task that entered the bridge. To the event loop nothing unusual happens.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import types
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from inspect import GEN_CREATED, getgeneratorstate, iscoroutine
from typing import Any, ParamSpec, TypeVar, cast

from greenlet import getcurrent, greenlet

from .callers import call_back, current_caller, is_called_back, last_caller, wait_here
from .cancellation import merged
from .exceptions import MissingBridge
from .first_use import prepare, waiting
from .jobs import Delivering, Job, JobScope
from .offload import offload
from .synchronous import synchronous
from .tasks import start_task

P = ParamSpec("P")
T = TypeVar("T")

# How many sleeping greenlets one thread keeps for the next jobs. Reusing one costs a quarter of
# making one; each holds a small stack.
PARKED_MAX = 128

# How many waits in the clean-up of an abandoned coroutine are passed over before it is given up.
CLOSE_ATTEMPTS = 100

NOT_BEGUN = object()


class _Worker(greenlet):
    """A greenlet that runs one job after another and sleeps in between."""

    job: Job | None = None

    def __init__(self) -> None:
        super().__init__(_work)


def _work() -> None:
    # The garbage collector does not see a greenlet's stack: were the worker itself held there,
    # one that is dropped (too many parked, abandoned, its thread at an end) would live for ever.
    while True:
        _run_job()
        cast(greenlet, getcurrent().parent).switch()  # sleeps until the next job


def _run_job() -> None:
    worker = cast(_Worker, getcurrent())
    job = cast(Job, worker.job)
    job.run()
    worker.job = job.task = None


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class _Parked(threading.local):
    """The sleeping workers of a thread: greenlets cannot change threads."""

    def __init__(self) -> None:
        self.workers: list[_Worker] = []


_parked = _Parked()


def current_job() -> Job | None:
    """Return the job that this code runs in, None outside the bridge.

    A task that starts eagerly runs its first step in the greenlet of whoever started it; it is not
    in that job, and must not wait there.
    """
    worker = getcurrent()
    if type(worker) is not _Worker:
        return None
    job = worker.job
    return job if job is not None and job.task is _current_task() else None


def on_event_loop() -> bool:
    """Tell whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def current_context() -> contextvars.Context | None:
    """Return the context of the running code itself, which ``copy_context`` would copy."""
    context: contextvars.Context | None = getcurrent().gr_context
    return context


def frames_around() -> Iterator[types.FrameType]:
    """Yield the frames of the running code, innermost first, then those outside the bridge."""
    frame, runner = sys._getframe().f_back, getcurrent()
    while frame is not None:
        yield frame
        frame = frame.f_back
        while frame is None and runner.parent is not None:
            runner = runner.parent
            frame = runner.gr_frame


def in_bridge() -> bool:
    """Tell whether this code runs in the bridge, so that ``await_`` may be called."""
    return current_job() is not None


def _engage(job: Job, context: contextvars.Context | None) -> _Worker:
    """Return a worker that will run a job, in a context, once it is switched to."""
    if waiting:
        prepare()
    workers = _parked.workers
    worker = workers.pop() if workers else _Worker()
    worker.job = job
    worker.gr_context = context
    return worker


def _finish(worker: _Worker, job: Job) -> Any:
    """Park the worker and return or raise the outcome of its job."""
    # Without this the sleeping greenlet keeps the context, and with it a whole request, alive.
    worker.gr_context = None
    workers = _parked.workers
    if len(workers) < PARKED_MAX:
        workers.append(worker)
    return job.outcome()


@types.coroutine
def _pump(worker: _Worker, job: Job, yielded: Any = NOT_BEGUN) -> Generator[Any, Any, Any]:
    """Run the worker's job, hand the futures that it yields to the event loop, give its outcome."""
    if yielded is NOT_BEGUN:
        worker.parent = getcurrent()
        job.task = _current_task()
        yielded = worker.switch()
    while worker.job is job:
        try:
            sent = yield yielded
        except GeneratorExit:
            _abandon(worker, job)
            raise
        except BaseException as error:
            # The parent is whoever resumes, which need not be the task that began: graphql-core.
            worker.parent = getcurrent()
            job.task = _current_task()
            # The instance alone would lose where it came from.
            yielded = worker.throw(type(error), error, error.__traceback__)
        else:
            worker.parent = getcurrent()
            job.task = _current_task()
            yielded = worker.switch(sent)
    return _finish(worker, job)


def _enter(
    function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Awaitable[T]:
    job = Job(function, args, kwargs)
    return _pump(_engage(job, getcurrent().gr_context), job)


def enter_bridge(
    function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Awaitable[T]:
    """Return what, awaited at once, runs a function in the bridge; for code already outside it.

    If a synchronous caller waits for this code, the function runs in the caller's thread. This is
    no coroutine: tracebacks, which Django's debug page shows with all variables, get no frame more.
    """
    if last_caller() is not None and (caller := current_caller()) is not None:
        return call_back(caller, function, args, kwargs)
    return _enter(function, args, kwargs)


async def run_sync(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run synchronous code on the event loop; its queries suspend only this task.

    Args:
        function: any synchronous callable. Inside another bridge it is simply called.
        *args: its positional arguments.
        **kwargs: its keyword arguments.

    Returns:
        What the function returns. Context variables that it sets stay set.

    Raises:
        TypeError: the function is not synchronous: it returned a coroutine.
        BaseException: whatever the function raises, with its complete traceback.

    The escape hatch for code that has no awaitable form, as SQLAlchemy's ``AsyncSession.run_sync``.
    """
    job = current_job()
    if job is not None:
        with Delivering(job):
            result = function(*args, **kwargs)
    else:
        result = await enter_bridge(function, args, kwargs)
    return synchronous("run_sync", function, result)


async def run_any(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function of somebody else's as ``run_sync`` does, and return what it returns.

    Args:
        function: any callable; a coroutine that it returns is left to the caller, who knows what
            Django makes of it.
        *args: its positional arguments.
        **kwargs: its keyword arguments.
    """
    job = current_job()
    if job is not None:
        with Delivering(job):
            return function(*args, **kwargs)
    return await enter_bridge(function, args, kwargs)


async def portal(awaitable: Awaitable[T]) -> T:
    """Drive a coroutine inside the bridge, so that synchronous code it calls may query too.

    Args:
        awaitable: usually a coroutine. Inside another bridge it is simply awaited.

    Returns:
        What the coroutine returns.

    Raises:
        BaseException: whatever the coroutine raises.

    Connections that synchronous code took go back to the pool whenever the coroutine waits, unless
    a transaction is open on them. The counterpart of ``greenback.with_portal_run``.
    """
    if in_bridge():
        return await awaitable
    return cast(T, await _enter(_drive_outermost, (awaitable,), {}))


def eager(
    function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T | Coroutine[Any, Any, T]:
    """Run synchronous code in the bridge; give its value at once if it never had to wait.

    Args:
        function: any synchronous callable.
        *args: its positional arguments.
        **kwargs: its keyword arguments.

    Returns:
        The plain result, or a coroutine for it if the function is waiting for something.

    Raises:
        TypeError: the function is not synchronous: it returned a coroutine.
        BaseException: whatever the function raised before it first waited.

    It runs in a copy of the context, since several eager jobs of one task may wait side by side.
    Made for GraphQL executors, which pay for each awaitable field.
    """
    job = Job(function, args, kwargs)
    worker = _engage(job, contextvars.copy_context())
    worker.parent = getcurrent()
    job.task = _current_task()
    yielded = worker.switch()
    if worker.job is job:
        return Suspended(worker, job, yielded)
    return cast(T, synchronous("eager", function, _finish(worker, job)))


@types.coroutine
def _rest_of(worker: _Worker, job: Job, yielded: Any) -> Generator[Any, Any, Any]:
    """Pump an eager job that had to wait."""
    return synchronous("eager", job.function, (yield from _pump(worker, job, yielded)))


class Suspended(Coroutine[Any, Any, T]):
    """The rest of an eager job that had to wait; a coroutine in every respect."""

    def __init__(self, worker: _Worker, job: Job, yielded: Any) -> None:
        self._worker = worker
        self._job = job
        self._rest: Any = _rest_of(worker, job, yielded)

    def __await__(self) -> Generator[Any, Any, T]:
        result: T = yield from self._unfinished()
        return result

    def _unfinished(self) -> Any:
        if self._rest.gi_frame is None:
            raise RuntimeError("cannot reuse already awaited coroutine")
        return self._rest

    def send(self, value: Any) -> Any:
        """Resume the job; see ``Coroutine.send``."""
        return self._unfinished().send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where the job waits; see ``Coroutine.throw``."""
        rest = self._unfinished()
        if getgeneratorstate(rest) == GEN_CREATED:
            # The job is under way already: its code must see the error, and may clean up.
            rest.send(None)
        return rest.throw(*error)

    def close(self) -> None:
        """End the job, which can wait no more; see ``Coroutine.close``."""
        self._rest.close()
        # A generator that was never started runs no handler when it is closed.
        _abandon(self._worker, self._job)

    def __del__(self) -> None:
        if self._worker.job is self._job:
            warnings.warn(
                f"eager({self._job.function!r}) was never awaited", RuntimeWarning, stacklevel=2
            )
            self.close()


def _abandon(worker: _Worker, job: Job) -> None:
    """End a job that nobody will resume: its code sees GeneratorExit and can wait no more."""
    if worker.job is not job:
        return
    job.abandoned = True
    worker.parent = getcurrent()
    job.task = _current_task()
    worker.throw(GeneratorExit)
    # Its traceback refers to the job: without this, a cycle per abandoned job.
    job.error = None


def await_(awaitable: Awaitable[T], *, suspending: bool = False) -> T:
    """Wait for anything awaitable from synchronous code inside the bridge.

    Args:
        awaitable: a coroutine, future, task or any object with ``__await__``.
        suspending: give connections back to the pool at each wait, as a portal does, unless a
            transaction or a server-side cursor is open on them.

    Returns:
        What it gives. A coroutine runs inside the bridge itself, in this task and context.

    Raises:
        MissingBridge: outside the bridge; the awaitable is closed first.
        BaseException: whatever the awaitable raises, cancellation included.
    """
    job = current_job()
    if job is None:
        return _wait_elsewhere(awaitable)
    leave = _suspend if suspending else _pause
    return _drive(cast(_Worker, getcurrent()), job, awaitable, leave)


def await_holding(awaitable: Awaitable[T]) -> T:
    """Wait for a statement, or for the right to make one: the job keeps all that it holds.

    Args:
        awaitable: as for ``await_``.

    Returns:
        What it gives.

    Raises:
        BaseException: whatever the awaitable raises, cancellation included.
    """
    job = current_job()
    if job is None:
        return _wait_elsewhere(awaitable)
    return _drive(cast(_Worker, getcurrent()), job, awaitable, None)


def _pause(scope: JobScope) -> None:
    scope.pause()


def _suspend(scope: JobScope) -> None:
    scope.suspend()


def _wait_elsewhere(awaitable: Awaitable[T]) -> T:
    if not on_event_loop() and is_called_back():
        return wait_here(awaitable)
    _close(awaitable)
    raise MissingBridge(
        f"await_({awaitable!r}) was called outside the bridge, so nothing can wait for it. "
        "Run the synchronous code around it with `await run_sync(function, ...)` or "
        "`await portal(coroutine)`, or write `await` in a coroutine."
    )


def _drive_outermost(awaitable: Awaitable[T]) -> T:
    """Drive the coroutine of a portal: what its job holds is offered back at every wait."""
    worker = cast(_Worker, getcurrent())
    return _drive(worker, cast(Job, worker.job), awaitable, _suspend)


def _drive(
    worker: _Worker,
    job: Job,
    awaitable: Awaitable[T],
    leave: Callable[[JobScope], None] | None,
) -> T:
    coroutine = awaitable if iscoroutine(awaitable) else _as_coroutine(awaitable)
    if job.abandoned:
        coroutine.close()
        raise GeneratorExit
    try:
        yielded = coroutine.send(None)
        while True:
            try:
                if job.abandoned:
                    raise GeneratorExit
                if leave is not None and job.scope is not None:
                    leave(job.scope)
                if job.kept is not None:
                    job.deliver()
                sent = cast(greenlet, worker.parent).switch(yielded)
            except BaseException as error:
                if job.is_abandoned():
                    _close(coroutine)
                    raise
                yielded = coroutine.throw(error)
            else:
                yielded = coroutine.send(sent)
    except StopIteration as stop:
        return cast(T, stop.value)


async def _as_coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _close(awaitable: Any) -> None:
    close = getattr(awaitable, "close", None)
    if close is None:
        return
    # Each wait in a coroutine's clean-up makes close() fail, and the next call goes on from there.
    for _ in range(CLOSE_ATTEMPTS):
        try:
            close()
        except RuntimeError:
            continue
        return


def await_shielded(coroutine: Coroutine[Any, Any, T], *, grace: float) -> T:
    """Wait for a coroutine that a cancellation of this task must not interrupt.

    Args:
        coroutine: runs in a task of its own, outside the bridge.
        grace: seconds that it may still take once this task has been cancelled.

    Returns:
        What the coroutine returns. The job keeps the cancellation: ``deliver_cancellation`` raises
        it, and so do the next wait of this job and the end of the call that entered the bridge.

    Raises:
        TimeoutError: it was cancelled because the grace had passed.
        BaseException: whatever the coroutine raises.
    """
    job = current_job()
    if job is None or job.abandoned:
        return await_holding(coroutine)
    kept, job.kept = job.kept, None
    task = start_task(coroutine)
    deadline: float | None = None
    loop = asyncio.get_running_loop()
    while not task.done():
        remaining = None if deadline is None else max(0.0, deadline - loop.time())
        try:
            await_holding(asyncio.wait({task}, timeout=remaining))
        except asyncio.CancelledError as error:
            kept = merged(kept, error)
            deadline = deadline or loop.time() + grace
        if deadline is not None and loop.time() >= deadline and not task.done():
            task.cancel()
            job.kept = kept
            raise TimeoutError(f"clean-up took longer than {grace} s after a cancellation")
    job.kept = kept
    return task.result()


def deliver_cancellation() -> None:
    """Raise the cancellation that came while ``await_shielded`` was busy, if one came.

    To be called where that ends for the code around it: a block that has been left, for example.

    Raises:
        CancelledError: one came, and was not raised yet.
    """
    job = current_job()
    if job is not None:
        job.deliver()


def await_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work that is not the database's in a thread, from synchronous code.

    Args:
        function: what blocks or burns CPU for long: password hashing, a file, an HTTP client.
        *args: its positional arguments.
        **kwargs: its keyword arguments.

    Returns:
        What the function returns. With no event loop running it is simply called here.

    Raises:
        MissingBridge: a loop is running but this code is not in the bridge.
        TypeError: the function is not synchronous: it returned a coroutine.
        BaseException: whatever the function raises.

    Meanwhile the job holds no connection, unless a transaction or a server-side cursor is open on
    it: a cursor that was open before has to be made anew. The thread ends with the work.
    """
    if on_event_loop():
        result = await_(offload(function, *args, **kwargs), suspending=True)
    else:
        result = function(*args, **kwargs)
    return synchronous("await_thread", function, result)
