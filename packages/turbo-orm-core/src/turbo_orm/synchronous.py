"""Refuse coroutine functions where a synchronous function is needed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CoroutineType, FunctionType
from typing import Any, TypeVar

T = TypeVar("T")

# Stands in a message for a function that has no name that could be typed: the parameter of `verb`.
NAMELESS = "function"


def synchronous(verb: str, function: Callable[..., Any], result: T) -> T:
    """Return what a function returned, unless that is a coroutine, which nobody would await.

    The result is judged and not the function: a lambda, a decorator or a callable object can hide
    a coroutine function.

    Args:
        verb: the name of the function that was to run it.
        function: what it ran.
        result: what that returned.

    Raises:
        TypeError: the result is a coroutine. It is closed.

    Mirrors ``sync_to_async``, which takes no coroutine function.
    """
    if type(result) is not CoroutineType:
        return result
    coroutine: Any = result
    coroutine.close()
    while isinstance(function, functools.partial):
        function = function.func
    called, name = _described(function, coroutine.__qualname__)
    raise TypeError(
        f"{verb} can only be applied to synchronous functions, and {called} returned a coroutine. "
        f"Write `await {name}(...)`, or `await portal({name}(...))` if synchronous code that it "
        "calls uses the ORM."
    )


def _described(function: Callable[..., Any], of_coroutine: str) -> tuple[str, str]:
    """Return what a function is called, and the name to write instead of running it.

    Args:
        function: what was run.
        of_coroutine: the qualified name of the coroutine function that made its coroutine.
    """
    name = getattr(function, "__qualname__", None)
    if name is None:
        return f"an object of the class {type(function).__qualname__}", NAMELESS
    typed = _typed(name)
    if typed is not None:
        return typed, typed
    if isinstance(function, FunctionType):
        code = function.__code__
        name = f"the lambda in line {code.co_firstlineno} of {code.co_filename}"
    return name, _typed(of_coroutine) or NAMELESS


def _typed(qualified: str) -> str | None:
    """Return a qualified name as one would type it; None for a lambda or a ``__call__``."""
    name = qualified.rpartition("<locals>.")[2]
    if name.endswith("__call__") or not all(map(str.isidentifier, name.split("."))):
        return None
    return name
