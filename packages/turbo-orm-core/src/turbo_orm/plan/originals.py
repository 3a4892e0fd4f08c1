"""What methods of Django's were before anybody replaced them, and whether they still are that."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from django.utils.functional import cached_property

# Stands for an original that had been replaced when it was first looked at: no method is like it.
UNKNOWN: Any = object()
# Whose functions are originals: Django's, and those that this library puts in their place.
OWNERS = ("django.", "turbo_orm.")

# What each class had when Django was loaded, or when its module was.
_first: dict[Any, dict[str, Any]] = {}
_taken: list[Any] = []


def mro(owner: Any) -> tuple[Any, ...]:
    """Return a class and its bases, or only the module."""
    return getattr(owner, "__mro__", (owner,))


def remember(*owners: Any) -> None:
    """Take note of what classes and modules have now, unless that was done before."""
    for owner in owners:
        for base in mro(owner):
            _first.setdefault(base, dict(vars(base)))
    _original.cache_clear()


def take_for_original(owner: Any, name: str, value: Any) -> None:
    """Let plans go on although a method is replaced, for test suites that lead it back to ours.

    Call it before the first query.

    Args:
        owner: the class.
        name: the method's.
        value: what stands there now.
    """
    remember(owner)
    _first[owner][name] = value
    _taken.append(value)
    _original.cache_clear()


def is_original(value: Any) -> bool:
    """Return whether a function, property or class method is Django's or ours, wrapped by nobody.

    ``functools.wraps`` copies the name and the module of what it wraps, but not its globals.
    """
    if any(value is each for each in _taken):
        return True
    if isinstance(value, cached_property):
        value = value.func
    function = getattr(value, "fget", None) or getattr(value, "__func__", value)
    if type(function) is not FunctionType:
        return any(value is each for each in _first[object].values())
    return str(function.__globals__.get("__name__", "")).startswith(OWNERS)


def names_of(owner: Any) -> Mapping[str, Any]:
    """Return what a class or module itself had at first."""
    found: Mapping[str, Any] = _first.get(owner, vars(owner))
    return found


def definer(owner: Any, name: str) -> Any:
    """Return which class of an owner and its bases had a name at first, None if none had it."""
    return next((base for base in mro(owner) if names_of(base).get(name) is not None), None)


def original(owner: Any, name: str) -> Any:
    """Return what an owner should have under a name.

    Args:
        owner: a class or module.
        name: of a function, property or class method.

    Returns:
        ``UNKNOWN`` if it was not Django's own, None if this release does not have the name.
    """
    # What a class has that nobody took note of may be another thing the next time.
    return _original(owner, name) if owner in _first else _original.__wrapped__(owner, name)


@functools.cache
def _original(owner: Any, name: str) -> Any:
    base = definer(owner, name)
    if base is None:
        return None
    found = names_of(base)[name]
    return found if is_original(found) else UNKNOWN


def is_djangos(kind: type) -> bool:
    """Return whether a class is Django's, or ours, and not a project's or another package's."""
    return kind.__module__.startswith(OWNERS)
