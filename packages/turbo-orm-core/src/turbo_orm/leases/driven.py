"""Blocks of asynchronous generators of which the steps run in several tasks.

The context of such a task need not be in the block: each ``anext()`` may have a task of its own,
and with it a copy of a context. Then the generator itself tells: its step, and what that calls and
awaits, is in its block.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextvars import Context, copy_context
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from ..awaited import is_awaited
from ..bridge import frames_around
from ..generators import waited_for

if TYPE_CHECKING:
    from .entered import Entered
    from .holds import Transaction

T = TypeVar("T")

# Types of values that are one object wherever they are set.
SAME_EVERYWHERE = (type(None), bool, int)

# Blocks of generators. Nearly always there are none, and one look at this set is all that it costs.
blocks: set[weakref.ref[Entered]] = set()


def note(entered: Entered) -> None:
    """Look for the generators of a block among the running code until it is left or dropped."""
    blocks.add(weakref.ref(entered, blocks.discard))


def forget(entered: Entered) -> None:
    """Look no more for the generators of a block."""
    blocks.discard(weakref.ref(entered))


def aliases() -> set[str]:
    """Return the databases of the blocks."""
    found = [reference() for reference in list(blocks)]
    return {each.transaction.alias for each in found if each is not None}


def block_here(alias: str, holds: Callable[[Context, Entered], bool]) -> Entered | None:
    """Return the block of the generator of which the running code is a step, or part of one.

    Args:
        alias: the database.
        holds: tells whether a context is in a block.

    Returns:
        The block; None if this code is in no such step, and no such step awaits it.
    """
    return block_of_step(list(_stepping(alias)), _frames_of_task(), holds)


def block_around(alias: str) -> Entered | None:
    """Return the block of the generator of which the running code is a step."""
    return _block_around(list(_stepping(alias)), _frames_of_task())


def block_of_step(
    stepping: Collection[tuple[Any, T]],
    frames: Iterable[FrameType],
    holds: Callable[[Context, T], bool],
) -> T | None:
    """Return the block of the first generator that executes or awaits the running code.

    Args:
        stepping: generators that are in the middle of a step, each with its block.
        frames: those of the running code, innermost first.
        holds: tells whether a context is in a block. A task that a step has started there has a
            copy: one that the step awaits and that is in no block was started elsewhere.
    """
    if not stepping:
        return None
    found = _block_around(stepping, frames)
    if found is not None:
        return found
    waits = {waited_for(generator): block for generator, block in stepping}
    waits.pop(None, None)
    return _awaiting(waits, holds) if waits else None


def _block_around(stepping: Collection[tuple[Any, T]], frames: Iterable[FrameType]) -> T | None:
    blocks = {generator.ag_frame: block for generator, block in stepping}
    if not blocks:
        return None
    return next((blocks[frame] for frame in frames if frame in blocks), None)


def is_step(transaction: Transaction) -> bool:
    """Tell whether the running task executes a step of a generator that has a block open.

    Args:
        transaction: that of the block.
    """
    generators = [known() for entered in transaction.entered for known in entered.generators]
    frames = {generator.ag_frame for generator in generators if generator is not None}
    return any(frame in frames for frame in _frames_of_task()) if frames else False


def _frames_of_task() -> Iterator[FrameType]:
    """Yield the frames of the running task: one that starts at once is not part of the step.

    It has a copy of the step's context, or a new one so that it is in no block.
    """
    task: Any = asyncio.current_task()
    outermost = getattr(task.get_coro(), "cr_frame", None) if task is not None else None
    for frame in frames_around():
        yield frame
        if frame is outermost:
            return


def stepping(known: Iterable[weakref.ref[Any]]) -> Iterator[Any]:
    """Yield the generators that are in the middle of a step."""
    for reference in known:
        generator = reference()
        if generator is not None and generator.ag_running:
            yield generator


def _stepping(alias: str) -> Iterator[tuple[Any, Entered]]:
    """Yield the generators that are in the middle of a step on this loop, with their blocks."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    for reference in list(blocks):
        entered = reference()
        if entered is None or entered.left:
            continue
        if entered.transaction.alias == alias and entered.transaction.loop is loop:
            yield from ((generator, entered) for generator in stepping(entered.generators))


def _awaiting(waits: Mapping[Any, T], holds: Callable[[Context, T], bool]) -> T | None:
    """Return the block of the step that awaits the running task.

    Args:
        waits: the block of each step, by the future that the step waits for.
        holds: tells whether a context is in a block.
    """
    own = copy_context()
    found: list[T] = []

    def inside(context: Context, task: asyncio.Task[Any] | None) -> bool:
        block = waits.get(getattr(task, "_fut_waiter", None))
        if block is None or holds(context, block) or not _is_copy(own, context):
            return False
        found.append(block)
        return True

    return found[0] if is_awaited(asyncio.current_task(), inside) else None


def _is_copy(context: Context, other: Context) -> bool:
    """Tell whether a context is a copy of another: a task in a new one is outside on purpose."""
    return not other or any(
        context.get(each) is value and type(value) not in SAME_EVERYWHERE
        for each, value in other.items()
    )
