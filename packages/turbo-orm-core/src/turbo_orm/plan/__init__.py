"""Cached plans: a queryset of a known shape is neither built nor compiled twice.

A queryset records its chain (``record``) under a key of its shape (``shape``). The first time a
shape is executed, Django builds and compiles it as always, and once more to find out which
parameter comes from which argument (``trace``). From then on new arguments are only turned into
parameters (``bind``), the statement is executed (``run``) and rows become objects (``hydrate``).
Whatever cannot be done exactly so is left to Django.
"""

from .cache import clear_plans
from .run import bind_only
from .stats import PlanStats, plan_stats

__all__ = ["PlanStats", "bind_only", "clear_plans", "plan_stats"]
