"""Which worlds a page is about: known from its path, so that answers can be checked."""

from __future__ import annotations

import random

from benchmarks.rows import KEPT_WORLDS, WORLDS

PER_PAGE = 20
# Each page that updates has worlds of its own.
BLOCKS = (WORLDS - KEPT_WORLDS) // PER_PAGE


def read_keys(number: int) -> list[int]:
    """Return the worlds of a page that reads many: scattered over those that stay as they are."""
    return [(number * 7919 + index * 241) % KEPT_WORLDS + 1 for index in range(PER_PAGE)]


def written_keys(number: int) -> list[int]:
    """Return the worlds of a page that updates many."""
    first = KEPT_WORLDS + (number - 1) * PER_PAGE + 1
    return list(range(first, first + PER_PAGE))


def new_number() -> int:
    """Return what a world is updated to."""
    return random.randint(1, WORLDS)
