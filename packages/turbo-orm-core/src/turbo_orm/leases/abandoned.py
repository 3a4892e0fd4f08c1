"""Blocks that end without being awaited, in a task of their own that has the turn at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from psycopg.pq import TransactionStatus

from ..bridge import current_job, run_sync
from ..tasks import begin_now
from .atomics import given_up, still_open
from .entered import Entered, running_loop
from .holds import Hold, Transaction, own_hold
from .lines import Turn
from .scope import begin_turn, scope_of
from .turns import for_task, wait_for_turn

logger = logging.getLogger("turbo_orm")

# A statement of somebody who has gone is still under way, or the connection is lost.
BUSY = (TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN)

# The event loop alone would let them be collected.
_ending: set[asyncio.Task[None]] = set()


def end_soon(transaction: Transaction, leaving: list[Entered]) -> asyncio.Task[None] | None:
    """Roll back the innermost blocks of a transaction in a task that has the turn at once.

    Args:
        transaction: the transaction.
        leaving: its innermost blocks.

    Returns:
        The task; None if there is nothing to wait for.
    """
    if transaction.ended:
        for entered in leaving:
            entered.end()
        return None
    innermost = transaction.wrapper.atomic_blocks[leaving[0].level - 1 :]
    for entered in leaving:
        entered.mark_left()
    if innermost != [entered.atomic for entered in leaving]:
        transaction.expire(still_open(transaction.alias))
        return None
    loop = running_loop()
    if loop is None or loop is not transaction.loop or _is_lost(transaction):
        transaction.expire(given_up(transaction.alias))
        return None
    transaction.closing = not transaction.entered
    job = current_job()
    if job is not None and job.abandoned:
        scope_of(job).pause()
    # Not inside a statement of this very job, in which garbage was collected.
    own = None if is_in_statement(transaction) else own_hold(transaction)
    hold = own or Hold(transaction, None)
    taken: list[Turn] = []
    # Its place in the line is before that of whatever comes next.
    rest = begin_now(_take(hold, taken))
    task = loop.create_task(_roll_back(transaction, leaving, taken, rest))
    _ending.add(task)
    task.add_done_callback(_ending.discard)
    return task


def _is_lost(transaction: Transaction) -> bool:
    """Tell whether the connection cannot execute anything, though nobody has the turn."""
    connection: Any = transaction.wrapper.connection
    if connection is None or connection.closed:
        return True
    return transaction.line.holder is None and connection.pgconn.transaction_status in BUSY


def is_in_statement(transaction: Transaction) -> bool:
    """Tell whether somebody who has the turn is in the middle of a statement."""
    connection: Any = transaction.wrapper.connection
    if connection is None or connection.closed or transaction.line.holder is None:
        return False
    return connection.lock.locked() or connection.pgconn.transaction_status in BUSY


async def _take(hold: Hold, taken: list[Turn]) -> None:
    taken.append(await wait_for_turn(hold, for_task(None)))


async def _roll_back(
    transaction: Transaction,
    leaving: list[Entered],
    taken: list[Turn],
    rest: Awaitable[None] | None,
) -> None:
    try:
        if rest is not None:
            await rest
        await run_sync(_roll_back_in_turn, transaction, leaving, taken[0])
    except BaseException as error:
        transaction.expire(given_up(transaction.alias))
        if not isinstance(error, Exception):
            raise
        logger.exception("A closed block of %r failed to end", transaction.alias)
    finally:
        for turn in taken:
            turn.release()
        for entered in leaving if transaction.closing or transaction.ended else ():
            entered.forget()


def _roll_back_in_turn(transaction: Transaction, leaving: list[Entered], turn: Turn) -> None:
    if transaction.ended:
        return
    job = current_job()
    assert job is not None
    if _is_lost(transaction) or transaction.wrapper.connection.pgconn.transaction_status in BUSY:
        transaction.expire(given_up(transaction.alias))
        return
    begin_turn(scope_of(job), turn)
    for entered in reversed(leaving):
        entered.exit((GeneratorExit, GeneratorExit(), None))
