"""From the attributes that somebody will read to what a queryset must fetch for them."""

from .apply import optimize, prefetch
from .reading import ANYTHING, behind, read_by, reads

__all__ = ["ANYTHING", "behind", "optimize", "prefetch", "read_by", "reads"]
