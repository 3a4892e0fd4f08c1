"""Limits for what a public endpoint may be asked for."""

from .budget import Budget, current_budget
from .guards import guards
from .limiter import DocumentLimiter
from .sizes import SizeLimiter

__all__ = ["Budget", "DocumentLimiter", "SizeLimiter", "current_budget", "guards"]
