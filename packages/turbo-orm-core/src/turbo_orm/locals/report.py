"""What was replaced and what could not be, for the system check."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Missed:
    """A thread-local that stays shared, at least in one place.

    Args:
        path: where it is.
        reason: why it could not be replaced, as the rest of a sentence.
    """

    path: str
    reason: str


@dataclasses.dataclass
class Report:
    """What became of the thread-locals that were found.

    Args:
        replaced: where they were: dotted paths of objects and of classes.
        later: names of modules whose functions make request-locals from now on.
        missed: those that could not be replaced.
    """

    replaced: list[str] = dataclasses.field(default_factory=list)
    later: list[str] = dataclasses.field(default_factory=list)
    missed: list[Missed] = dataclasses.field(default_factory=list)
