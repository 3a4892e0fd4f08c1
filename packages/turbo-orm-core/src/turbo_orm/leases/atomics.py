"""Django's ``Atomic`` objects: their database, their end, and why one cannot be entered or kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.transaction import Atomic, TransactionManagementError


def alias_of(atomic: Atomic) -> str:
    """Return the database of a block."""
    return atomic.using or DEFAULT_DB_ALIAS


def exit_atomic(atomic: Atomic, error: Any, leave: Callable[..., None] | None = None) -> None:
    """Leave a block, and raise if it would end without an error though it was given up.

    Args:
        atomic: the innermost block.
        error: what ``__exit__`` is given.
        leave: Django's ``Atomic.__exit__``; that of the object's class if None.

    Raises:
        TransactionManagementError: a statement in the block was interrupted; it is rolled back.
    """
    leave = leave or type(atomic).__exit__
    wrapper: Any = connections[alias_of(atomic)]
    problem = getattr(wrapper, "given_up", None)
    if problem is None:
        leave(atomic, *error)
        return
    refused = wrapper.needs_rollback and error[0] is None
    try:
        leave(atomic, *((type(problem), problem, None) if refused else error))
    finally:
        if not wrapper.needs_rollback:
            wrapper.given_up = None
    if refused:
        raise problem


def child_error(alias: str) -> TransactionManagementError:
    """Return the error of a task that opens a block inside the block of another."""
    return TransactionManagementError(
        f"A task started inside an atomic block of database {alias!r} cannot open a block of "
        "its own there: blocks of several tasks would interleave on the one connection. Open "
        "it in the task that opened the outer block, or start this task outside that block."
    )


def still_open(alias: str) -> TransactionManagementError:
    """Return the error of a block that ends before one inside it."""
    return TransactionManagementError(
        f"An atomic block of database {alias!r} was left while a block inside it was still open: "
        "that of an asynchronous generator that is not closed yet. Everything was rolled back. "
        "Close the generator first: `async with contextlib.aclosing(generator):`."
    )


def given_up(alias: str) -> TransactionManagementError:
    """Return the error of a block that could not be kept open until it is left."""
    return TransactionManagementError(
        f"The atomic block of database {alias!r} was rolled back before it was left: its task had "
        "ended, its connection was lost, or a block inside it was closed in the middle of a "
        "statement. Enter and leave a block in the same task, or in tasks with the same context: "
        "`loop.create_task(coroutine, context=context)`."
    )
