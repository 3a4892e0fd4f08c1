"""What is known of an asynchronous block from where it is entered to its end."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any

from django.db.transaction import Atomic

from ..bridge import current_context
from . import driven, lending
from .atomics import exit_atomic
from .holds import Transaction, own_hold, set_hold

# Is told which generator of a transaction was dropped.
Dropped = Callable[[Transaction, "weakref.ref[Any]"], None]


class Entered:
    """One asynchronous block that has been entered.

    Args:
        block: what the user has; dropped, nobody can leave it any more.
        atomic: what was entered for it, and is in the wrapper's list.
        transaction: the transaction that it is in.
        generators: the asynchronous generators of which the end is its end.
        dropped: is called when one of them is dropped.
    """

    def __init__(
        self,
        block: Atomic,
        atomic: Atomic,
        transaction: Transaction,
        generators: Sequence[AsyncGenerator[Any, Any]],
        dropped: Dropped,
    ) -> None:
        self.block = weakref.ref(block)
        self.atomic = atomic
        self.transaction = transaction
        self.level = transaction.depth
        # Whether it has been left, properly or because its generator was closed or dropped.
        self.left = False
        # Whether a job in it was interrupted while another had the turn.
        self.interrupted = False
        # Those that were put into the block: where it was entered, and where its generator went on.
        self._contexts: list[weakref.ref[Context]] = []
        self._watches: list[weakref.ref[Any]] = []
        self.note_context()
        self.generators = [_watched(transaction, each, dropped) for each in generators]
        if generators:
            driven.note(self)

    def note_context(self) -> None:
        """Let the running context be in no transaction once the block has ended."""
        context = current_context()
        if context is not None:
            self._contexts.append(weakref.ref(context))

    def waits_for_next_task(self, lost: Callable[[], None]) -> bool:
        """Tell whether code after its task can leave the block.

        That is the rest of its generator, or code that has the block and the context.

        Args:
            lost: is called, on the loop, when that is no longer so.
        """
        needed: list[Any] = [self.block()]
        if not any(known() is not None for known in self.generators):
            needed += [known() for known in self._contexts] or [None]
        if None in needed:
            return False
        loop = self.transaction.loop
        assert loop is not None
        self._watches = [weakref.ref(each, lambda _: call_on(loop, lost)) for each in needed]
        return True

    def mark_left(self) -> None:
        """Note that the block has been left, or is being left."""
        self.left = True
        self._watches.clear()
        driven.forget(self)
        if self in self.transaction.entered:
            self.transaction.entered.remove(self)

    def exit(self, error: Any) -> None:
        """Let Django end the block, which is the innermost one, in this job's turn."""
        transaction = self.transaction
        if transaction.wrapper.in_outermost_block:
            lending.unpin(transaction)
        try:
            exit_atomic(self.atomic, error)
        finally:
            self.end()
            lending.share_block(transaction.alias, -1)

    def end(self) -> None:
        """Note that the block has ended; with the last of a transaction its contexts are free."""
        self.mark_left()
        transaction = self.transaction
        # With autocommit off the transaction goes on after its outermost block.
        if not transaction.entered and (transaction.ended or transaction.closing):
            self.forget()

    def forget(self) -> None:
        """Let the contexts that were put into the block be in no transaction."""
        self._watches.clear()
        for known in self._contexts:
            context = known()
            if context is current_context():
                self._clear()
            elif context is not None:
                with suppress(RuntimeError):  # it is entered, further out
                    context.run(self._clear)
        self._contexts.clear()

    def _clear(self) -> None:
        if own_hold(self.transaction) is not None:
            set_hold(self.transaction.alias, None)


def _watched(transaction: Transaction, generator: Any, dropped: Dropped) -> weakref.ref[Any]:
    """Return the reference that tells a transaction when a generator is dropped."""
    for entered in transaction.entered:
        for known in entered.generators:
            if known() is generator:
                return known
    of_transaction = weakref.ref(transaction)

    def tell(reference: weakref.ref[Any]) -> None:
        found = of_transaction()
        if found is not None and found.loop is not None:
            call_on(found.loop, lambda: dropped(found, reference))

    # Called at once: before the event loop hears of it, and before the next line of code runs.
    return weakref.ref(generator, tell)


def call_on(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Call a function on a loop: here, or soon if garbage is collected elsewhere."""
    if running_loop() is loop or loop.is_closed():
        function()
    else:
        with suppress(RuntimeError):  # it is closed by now
            loop.call_soon_threadsafe(function)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
