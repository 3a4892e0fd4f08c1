"""What the plan cache has done since it was last cleared."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

# Why a plan stands aside for a while.
REPLACED = "a method of Django's that was replaced"

counts: Counter[str] = Counter()
unplanned: Counter[str] = Counter()


@dataclasses.dataclass(frozen=True)
class PlanStats:
    """The figures of one moment.

    Args:
        hits: operations that used a plan.
        misses: operations for which a plan was made or tried.
        fallbacks: operations whose arguments did not fit the plan of their shape.
        unplannable: operations and chains left to Django, by reason.
        plans: how many plans are kept.
        limit: how many may be.
    """

    __module__ = "turbo_orm"  # pickles name the class by this path

    hits: int
    misses: int
    fallbacks: int
    unplannable: Mapping[str, int]
    plans: int
    limit: int

    @property
    def hit_rate(self) -> float:
        """The share of operations that used a plan, from 0 to 1."""
        every = self.hits + self.misses + self.fallbacks + sum(self.unplannable.values())
        return self.hits / every if every else 0.0


def plan_stats() -> PlanStats:
    """Return what the plan cache of this process has done since it was last cleared.

    Returns:
        Hits, misses, fallbacks, and what was left to Django, by reason.
    """
    from .cache import cache

    return PlanStats(
        hits=counts["hits"],
        misses=counts["misses"],
        fallbacks=counts["fallbacks"],
        unplannable=dict(unplanned),
        plans=len(cache.plans),
        limit=cache.limit,
    )
