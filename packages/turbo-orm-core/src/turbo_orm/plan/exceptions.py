"""Why something is left to Django."""

from __future__ import annotations

# Older pickles name it here.
from ..exceptions import PlanMismatch

__all__ = ["PlanMismatch", "Unplannable"]


class Unplannable(Exception):
    """A queryset that Django itself must build or execute.

    Args:
        reason: for the statistics, a few words without data.
        lasting: whether it is so for every argument of this shape.
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
