"""From the attributes that somebody will read to what a queryset must fetch for them."""

from .apply import optimize, prefetch

__all__ = ["optimize", "prefetch"]
