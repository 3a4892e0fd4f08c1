"""Docstrings that are for readers of the code, and not for the readers of an API."""

from __future__ import annotations

from typing import TypeVar

C = TypeVar("C", bound=type)


def undescribed(cls: C) -> C:
    """Take a class's docstring away once it is made; tools that read the source still show it.

    Args:
        cls: a base of views or serializers. drf-spectacular describes a component by the docstring
            of its nearest base, DRF's own excepted: all would be said to mirror something.
    """
    cls.__doc__ = None
    return cls
