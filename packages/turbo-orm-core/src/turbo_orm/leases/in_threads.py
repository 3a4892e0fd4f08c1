"""A block's connection as a thread sees it that the block waits for.

The connection stays on its loop. In the thread psycopg makes each statement; the loop sends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

import psycopg

from ..bridge import on_event_loop
from ..connection.carried import carrying_class
from ..connection.engine import engine_class, preparing_methods
from ..connection.facade import BridgedConnection
from ..connection.named import closed_anywhere
from ..connection.threads import are_watched
from ..connection.watched import preparing
from ..connection.wrapper import BridgedWrapper, CommitHook
from .errands import run_on
from .guests import Guest
from .holds import Hold, Transaction, too_late
from .lines import Turn
from .turns import for_thread, turn_at_once, wait_for_turn


class ThreadFace(BridgedConnection):
    """A connection of an event loop, as it is used in a thread."""

    __slots__ = ("_facade", "_guest")

    _facade: BridgedConnection
    _guest: ThreadGuest

    @classmethod
    def of(cls, facade: BridgedConnection, guest: ThreadGuest) -> ThreadFace:
        """Return the face of a connection for a guest."""
        face = cls.__new__(cls)
        face.__dict__ = facade.__dict__
        face._facade, face._guest = facade, guest
        return face

    def __del__(self, *warn: Any) -> None:
        """Pass: the connection is not the thread's to close."""

    @property
    def lock(self) -> Any:  # type: ignore[override]
        """Nothing: the loop takes the connection's lock for each statement."""
        return contextlib.nullcontext()

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Have a psycopg generator driven on the connection's loop."""
        if on_event_loop():
            # The block closes what the thread has left open.
            return self._facade.wait(gen, *args, **kwargs)
        return run_on(self._guest.loop, self._guest.execute, self._facade, gen)

    @contextlib.contextmanager
    def statement_turn(self) -> Iterator[None]:
        """Keep the turn from the look at the session's settings to the end of the statement."""
        if on_event_loop() or not are_watched():
            yield
            return
        self._guest.keep()
        try:
            yield
        finally:
            self._guest.release()

    def may_be_used(self) -> bool:
        """Tell whether the running code may use the connection and can wait for it."""
        if on_event_loop():
            return self._facade.may_be_used()
        guest = self._guest
        return threading.get_ident() == guest.thread and not guest.transaction.ended

    @contextlib.contextmanager
    def shielded(self) -> Iterator[bool]:
        """Pass: nothing interrupts a thread."""
        if on_event_loop():
            with self._facade.shielded() as outermost:
                yield outermost
        else:
            yield False


class ThreadGuest(Guest):
    """Mixed into the engine's class: a block's wrapper in a thread that the block waits for."""

    __slots__ = ("_face", "_kept", "_parts", "hold", "loop", "thread", "turn")

    pool = None
    # Of the context, which asgiref brings along.
    queries_log = BridgedWrapper.queries_log
    force_debug_cursor = BridgedWrapper.force_debug_cursor
    execute_wrappers = BridgedWrapper.execute_wrappers
    execute_wrapper = BridgedWrapper.execute_wrapper

    hold: Hold
    loop: asyncio.AbstractEventLoop
    thread: int
    _face: ThreadFace | None
    _kept: int
    # The one that the thread keeps, for several statements.
    turn: Turn | None
    _named_cursors: list[Any]

    @classmethod
    def of(cls, hold: Hold, thread: int) -> ThreadGuest:
        """Return a guest for a thread, without a connection yet."""
        guest = cls.__new__(cls)
        guest.share_state(hold.transaction.wrapper)
        assert hold.transaction.loop is not None
        guest.hold, guest.loop, guest.thread = hold, hold.transaction.loop, thread
        guest._face, guest._parts = None, {}
        guest._kept, guest.turn = 0, None
        return guest

    @property
    def transaction(self) -> Transaction:
        """The transaction whose connection this is."""
        return self.hold.transaction

    @property
    def connection(self) -> Any:
        """The connection's face for this thread."""
        if self.transaction.ended:
            # The state is already another transaction's.
            raise too_late(self.transaction)
        facade = self.__dict__["connection"]
        if facade is None:
            return None
        if self._face is None or self._face._facade is not facade:
            self._face = ThreadFace.of(facade, self)
        return self._face

    @connection.setter
    def connection(self, value: Any) -> None:
        self.__dict__["connection"] = value

    async def execute(self, facade: BridgedConnection, gen: Any) -> Any:
        """Drive a psycopg generator in this thread's turn; called on the loop."""
        turn = None if self.turn is not None else await self._take()
        try:
            if self.transaction.ended:
                raise too_late(self.transaction)
            # A statement of which the turn was cut short may still be under way.
            async with facade.lock:
                return await facade.source.wait(gen)
        except Exception:
            raise
        except BaseException:
            self.transaction.wrapper.note_interruption()
            raise
        finally:
            if turn is not None:
                turn.release()

    async def _take(self) -> Turn:
        turn = turn_at_once(self.hold) or await wait_for_turn(self.hold, for_thread)
        turn.thread = self.thread
        return turn

    def keeps_in_context(self) -> bool:
        """Tell that what an engine keeps is the context's, which asgiref brings along."""
        return True

    def keep(self) -> None:
        """Wait for the thread's turn and keep it while a block is open."""
        if self.turn is None:
            self.turn = run_on(self.loop, self._take)
        self._kept += 1

    def release(self) -> None:
        """Give the turn back with the outermost of the thread's blocks."""
        self._kept -= 1
        if not self._kept:
            self.lend()

    def lend(self) -> None:
        """Let others have the turn, until the thread has something to do again."""
        turn, self.turn = self.turn, None
        if turn is not None:
            # Without its loop nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self.loop.call_soon_threadsafe(turn.release)

    def create_cursor(self, name: str | None = None) -> Any:
        """Create a cursor, and let the block know of it if the server keeps it open."""
        if not name:
            return super().create_cursor(name)  # type: ignore[misc]
        with preparing():
            cursor = super().create_cursor(name)  # type: ignore[misc]
        self._named_cursors.append(closed_anywhere(cursor))
        return cursor

    def on_commit(self, func: Any, robust: bool = False) -> None:
        """Register a callback, synchronous or not, for after the block's commit."""
        super().on_commit(CommitHook.of(func), robust)  # type: ignore[misc]

    def connect(self) -> None:
        """Refuse: the block's connection was closed, and its transaction with it."""
        raise psycopg.InterfaceError("the connection of this atomic block was closed")

    def close_if_unusable_or_obsolete(self) -> None:
        """Pass: whoever closes old connections in a thread does not mean that of the block."""

    def _close(self) -> None:
        async def close() -> None:
            # Its pool has to know, and replaces it.
            self.transaction.wrapper.hand_back(broken=True)

        run_on(self.loop, close)


def guest_in_thread(hold: Hold, thread: int | None = None) -> ThreadGuest:
    """Return what ``connections[alias]`` is in a thread that a block waits for.

    Args:
        hold: the transaction, and the turn of the job that called the thread, if one did.
        thread: the thread's identity; this thread if None.
    """
    transaction = hold.transaction
    thread = threading.get_ident() if thread is None else thread
    guest: ThreadGuest | None = transaction.guests.get(thread)
    if guest is None:
        guest = _class_of(engine_class(transaction.alias)).of(hold, thread)
        transaction.guests[thread] = guest
    guest.hold = hold
    return guest


@functools.lru_cache(maxsize=16)
def _class_of(engine: Any) -> Any:
    kind = type(engine.__name__, (carrying_class(engine),), preparing_methods(engine))
    return type(engine.__name__, (ThreadGuest, kind), {"__slots__": ()})
