"""One piece of synchronous work in the bridge: what it is, and what has come of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from .cancellation import merged
from .namespaces import begin_job, end_job


class JobScope(Protocol):
    """What a layer above attaches to a job: the connections that it holds."""

    def exit(self) -> None:
        """Give everything back; called in the greenlet at the end of the job."""

    def pause(self) -> None:
        """Let others use the connection of a transaction while the job waits for something else."""

    def suspend(self) -> None:
        """Give back what is not needed while the coroutine of a portal waits."""


class Job:
    """One piece of synchronous work in the bridge."""

    __slots__ = (
        *("abandoned", "args", "error", "function", "handled", "kept", "kwargs", "result"),
        *("scope", "task"),
    )

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.function = function
        # The task that drives this job at present. Code of a task that starts eagerly inside it
        # runs on the same greenlet, and must not wait there.
        self.task: asyncio.Task[Any] | None = None
        self.args = args
        self.kwargs = kwargs
        self.result: Any = None
        self.error: BaseException | None = None
        # What `sys.exc_info()` is where the job begins: a greenlet starts with none of its own.
        self.handled = sys.exc_info()[1]
        # Set when the coroutine that waits for this job was closed: nothing may wait any more.
        self.abandoned = False
        # A cancellation that came while nothing could be interrupted, not yet delivered.
        self.kept: asyncio.CancelledError | None = None
        self.scope: Any = None

    def run(self) -> None:
        """Call the function, in the worker's greenlet, and keep what comes of it."""
        begun = begin_job()
        try:
            try:
                if self.handled is None:
                    self.result = self.function(*self.args, **self.kwargs)
                else:
                    self._run_while_handling(self.handled)
            finally:
                if self.scope is not None:
                    self.scope.exit()
        except BaseException as error:
            self.error = error
        finally:
            if begun:
                end_job()

    def _run_while_handling(self, error: BaseException) -> None:
        self.handled, traceback = None, error.__traceback__
        try:
            raise error
        except BaseException:
            error.__traceback__ = traceback
            self.result = self.function(*self.args, **self.kwargs)
        finally:
            del error

    def is_abandoned(self) -> bool:
        """Tell whether nothing may wait in this job any more; it can change at every wait."""
        return self.abandoned

    def deliver(self, error: BaseException | None = None) -> None:
        """Raise the cancellation that was kept, if there is one.

        Args:
            error: what is raised otherwise. The cancellation wins over an ``Exception``, and
                follows another cancellation; whatever ends the task or the process is left alone.

        Raises:
            CancelledError: the cancellation.
        """
        kept, self.kept = self.kept, None
        if kept is None:
            return
        if isinstance(error, asyncio.CancelledError):
            merged(error, kept)
        elif isinstance(error, Exception):
            kept.__cause__ = error
        elif error is not None:
            return
        context = kept.__context__
        try:
            raise kept
        finally:
            if context is not None:
                # `raise` has put there what is being handled.
                kept.__context__ = context
            # The traceback refers to this frame: without this, a cycle per cancellation.
            del kept, error, context

    def outcome(self) -> Any:
        """Return the result or raise the error; a cancellation that was kept wins over both."""
        error, self.error = self.error, None
        if error is None and self.kept is None:
            return self.result
        try:
            self.deliver(error)
            assert error is not None
            raise error
        finally:
            # The traceback refers to this frame: without this, a cycle per failed query.
            del error


class Delivering:
    """Run a block like a job of its own: a cancellation that was kept comes out at its end.

    Not a function that calls another: error pages show the variables of each frame, and querysets
    in them are fetched for that.

    Args:
        job: the running job.
    """

    __slots__ = ("_job",)

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise the cancellation, if there is one; see ``Job.deliver``."""
        self._job.deliver(error)
