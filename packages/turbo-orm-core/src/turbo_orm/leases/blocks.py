"""Django's own blocks of guests, in a thread or in the bridge: each keeps its turn to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import connections
from django.db.transaction import Atomic

from ..bridge import await_holding, await_shielded, in_bridge, on_event_loop
from ..callers import (
    Caller,
    call_back,
    current_caller,
    here,
    last_caller,
    note_closed,
    note_opening,
    own_turn,
)
from .at_callers import CallersBlock, open_block
from .atomics import alias_of, exit_atomic
from .in_threads import ThreadGuest
from .on_loops import NO_LIMIT, guest_on_loop


def enter_in_turn(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return an ``Atomic.__enter__`` that waits for the turn of a guest, and keeps it."""

    @wraps(original)
    def entered(self: Any) -> None:
        if here.host is None and last_caller() is None:
            original(self)
            return
        leave = _take_turn(self)
        try:
            original(self)
        except BaseException:
            leave()
            raise

    return entered


def exit_in_turn(original: Callable[..., None]) -> Callable[..., None]:
    """Return an ``Atomic.__exit__`` that ends the turn of a guest."""

    @wraps(original)
    def left(self: Any, *error: Any) -> None:
        if here.host is None and last_caller() is None:
            exit_atomic(self, error, original)
            return
        leave = _last_turn(self)
        try:
            exit_atomic(self, error, original)
        finally:
            leave()

    return left


def _nothing() -> None:
    """Leave no turn: none was taken."""


def _take_turn(atomic: Atomic) -> Callable[[], None]:
    alias = alias_of(atomic)
    if on_event_loop():
        caller = current_caller() if in_bridge() else None
        if caller is None:
            return _nothing
        block = await_holding(open_block(caller, alias, atomic))
        try:
            host = guest_on_loop(caller, alias).host
            if isinstance(host, ThreadGuest):
                # Not interrupted: the thread would keep the turn, and nobody would release it.
                await_shielded(call_back(caller, host.keep), grace=NO_LIMIT)
        except BaseException:
            block.close(atomic)
            raise
        return lambda: _give_back(caller, block, atomic, host)
    if here.host is None:
        return _nothing
    guest: Any = connections[alias]
    found = guest if isinstance(guest, ThreadGuest) else None
    if found is not None:
        found.keep()
    else:
        note_opening(alias, guest)
    here.kept.setdefault(alias, []).append(found)
    return lambda: _give_back_kept(alias)


def _last_turn(atomic: Atomic) -> Callable[[], None]:
    alias = alias_of(atomic)
    if on_event_loop():
        caller = current_caller() if in_bridge() else None
        block: Any = None if caller is None else caller.blocks.get(alias)
        if caller is None or block is None:
            return _nothing
        if not block.admits_context() or block.task is not asyncio.current_task():
            await_shielded(own_turn(caller, alias), grace=NO_LIMIT)
            block = caller.blocks[alias]
        host = guest_on_loop(caller, alias).host
        return lambda: _give_back(caller, block, atomic, host)
    return _nothing if here.host is None else lambda: _give_back_kept(alias)


def _give_back(caller: Caller, block: CallersBlock, atomic: Atomic, host: Any) -> None:
    try:
        if isinstance(host, ThreadGuest):
            await_shielded(call_back(caller, host.release), grace=NO_LIMIT)
    finally:
        block.close(atomic)


def _give_back_kept(alias: str) -> None:
    turns = here.kept.get(alias)
    guest = turns.pop() if turns else None
    if guest is not None:
        guest.release()
    elif here.openers:
        note_closed(alias, connections[alias])
