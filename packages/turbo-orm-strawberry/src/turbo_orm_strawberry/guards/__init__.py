"""Limits for what a public endpoint may be asked for."""

from .budget import Budget, current_budget
from .guards import guards
from .limiter import DocumentLimiter
from .sizes import SizeLimiter
from .times import TimeLimiter

__all__ = ["Budget", "DocumentLimiter", "SizeLimiter", "TimeLimiter", "current_budget", "guards"]
