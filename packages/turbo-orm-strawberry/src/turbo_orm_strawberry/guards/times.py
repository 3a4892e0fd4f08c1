"""The extension that limits how long an operation may take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from graphql import GraphQLError
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

from ..instances import OperationExtension
from ..synchronous import is_synchronous


class TimeLimiter(OperationExtension):
    """Ends an operation that takes too long: its fields are cancelled, and its queries too.

    Args:
        timeout: seconds that the execution of a query or mutation may take.
        execution_context: strawberry's.

    What a client subscribes to takes as long as it wants, and synchronous execution cannot be
    cancelled: PostgreSQL's ``statement_timeout`` bounds its statements.
    """

    def __init__(
        self, *, timeout: float, execution_context: ExecutionContext | None = None
    ) -> None:
        super().__init__(execution_context=execution_context)
        self.timeout = timeout

    def on_execute(self) -> Iterator[None]:
        """Cancel the execution when its time is over.

        Raises:
            GraphQLError: it is.
        """
        is_subscription = self.execution_context.operation_type is OperationType.SUBSCRIPTION
        if is_subscription or is_synchronous():
            yield
            return
        task = asyncio.current_task()
        assert task is not None
        # As `asyncio.timeout`, which Python 3.10 does not have.
        is_over = False

        def end() -> None:
            nonlocal is_over
            is_over = True
            task.cancel()

        cancelled_before = _cancelling(task)
        alarm = asyncio.get_running_loop().call_later(self.timeout, end)
        try:
            yield
        except asyncio.CancelledError:
            if not is_over or _uncancelled(task) > cancelled_before:
                # Somebody else has cancelled the task.
                raise
            raise GraphQLError(
                f"The operation took longer than the {self.timeout:g} seconds that are allowed."
            ) from None
        except Exception:
            if is_over:
                # Another extension has made an error of its own of the cancellation.
                _uncancelled(task)
            raise
        else:
            if is_over:
                # What it waited for came at the same moment.
                _uncancelled(task)
        finally:
            alarm.cancel()


def _cancelling(task: asyncio.Task[object]) -> int:
    return task.cancelling() if hasattr(task, "cancelling") else 0


def _uncancelled(task: asyncio.Task[object]) -> int:
    return task.uncancel() if hasattr(task, "uncancel") else 0
