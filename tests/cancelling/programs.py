"""Random programs: trees of tasks, timeouts, scopes, shields, blocks, streams and statements.

A node is a tuple: its number, its kind, and its parts. What would let the clock decide the outcome
is left out: a statement of autocommit that may be interrupted while the server is at work, two
tasks that wait for each other's turn, blocks in children of a block.
"""

import sys
from typing import Any, NamedTuple

from hypothesis import strategies as st

Node = tuple[Any, ...]

# Timeouts and groups came together with counted cancellations.
COUNTS = sys.version_info >= (3, 11)
# Before, it runs what it waits for in a task of its own, and its timer cannot be set off.
WAIT_FOR_STAYS = sys.version_info >= (3, 12)


class Place(NamedTuple):
    """Where a node may stand."""

    depth: int
    # The task may open blocks: it is in none, or in one of its own.
    opens: bool = True
    # Statements have their transaction begun, so that what waits is the statement alone.
    block: bool = False
    # In a cancel scope of anyio, which cancels again whatever waits.
    scope: bool = False
    # Only what needs no database.
    pure: bool = False

    @property
    def deeper(self) -> "Place":
        """One level further down."""
        return self._replace(depth=self.depth - 1)


@st.composite
def programs(draw: Any, depth: int = 4) -> Node:
    """Return the body of a program's outermost task."""
    numbers = iter(range(10_000))
    return _body(draw, Place(depth), numbers)


def _body(draw: Any, place: Place, numbers: Any, most: int = 3) -> Node:
    return tuple(_node(draw, place, numbers) for _ in range(draw(st.integers(1, most))))


def _kinds(place: Place) -> list[str]:
    kinds = ["pause"]
    if not place.pure:
        kinds += ["slow"]
        kinds += [] if place.scope and not place.block else ["insert"]
        if not place.scope:
            kinds += ["stream", "iterate"]
    if place.depth <= 0:
        return kinds
    if not place.pure and place.opens:
        kinds += ["block"] * 5 + ["work"] * 3
    if place.scope:
        return kinds
    kinds += ["timeout", "timeout", "group"] if COUNTS else []
    kinds += ["wait_for"] if WAIT_FOR_STAYS else []
    return [*kinds, "task", "fails", "shield", "catch", "swallow", "cleanup", "scope"]


def _node(draw: Any, place: Place, numbers: Any) -> Node:
    kind = draw(st.sampled_from(_kinds(place)))
    number, inside = next(numbers), place.deeper
    child = inside._replace(opens=not place.block, pure=place.pure)
    parts: Node = ()
    if kind in {"timeout", "wait_for", "catch", "swallow"}:
        parts = (_body(draw, inside, numbers),)
    elif kind == "scope":
        parts = (_body(draw, inside._replace(scope=True), numbers),)
    elif kind == "block":
        parts = (_block(draw, inside, numbers),)
    elif kind == "work":
        parts = (_work(draw, inside, numbers),)
    elif kind == "task":
        parts = (_body(draw, child, numbers),)
    elif kind == "shield":
        # It goes on when nobody waits for it any more.
        parts = (_body(draw, child._replace(pure=place.pure or place.block), numbers),)
    elif kind == "group":
        # Side by side they would wait for each other's turn in a block.
        beside = child._replace(pure=place.pure or place.block)
        bodies = [_beside(draw, beside, numbers) for _ in range(draw(st.integers(1, 2)))]
        parts = (tuple(bodies), _beside(draw, beside, numbers))
    elif kind == "cleanup":
        parts = (_body(draw, inside, numbers), _body(draw, inside._replace(depth=0), numbers, 2))
    return (number, kind, *parts)


def _beside(draw: Any, place: Place, numbers: Any) -> Node:
    """Return a body that does nothing until the others have begun."""
    return ((next(numbers), "pause"), *_body(draw, place, numbers, 2))


def _block(draw: Any, place: Place, numbers: Any) -> Node:
    first = (next(numbers), "insert")
    return (first, *_body(draw, place._replace(block=True), numbers))


def _work(draw: Any, place: Place, numbers: Any) -> Node:
    """Return the body of a block of synchronous code."""
    nodes: list[Node] = [(next(numbers), "insert")]
    for _ in range(draw(st.integers(0, 2))):
        kinds = ["insert", "slow", *(["work"] if place.depth > 0 else [])]
        kind = draw(st.sampled_from(kinds))
        parts = (_work(draw, place.deeper, numbers),) if kind == "work" else ()
        nodes.append((next(numbers), kind, *parts))
    return tuple(nodes)


# What is done at each step: which of those that wait goes on, or which targets are cancelled.
steps = st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 9), max_size=2)), max_size=8)


def numbers_of(body: Node, kind: str) -> list[int]:
    """Return the numbers of all nodes of a kind in a body."""
    found: list[int] = []
    for node in body:
        if node[1] == kind:
            found.append(node[0])
        for part in node[2:]:
            bodies = part if node[1] == "group" and part is node[2] else (part,)
            for inner in bodies:
                found += numbers_of(inner, kind)
    return found
