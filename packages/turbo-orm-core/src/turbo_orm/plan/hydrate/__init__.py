"""Rows to objects: one generated function per plan, in place of Django's iterables."""

from .hydrator import Hydrator, make_hydrator

__all__ = ["Hydrator", "make_hydrator"]
