"""Refuse coroutine functions where a synchronous function is needed."""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any, TypeVar

T = TypeVar("T")


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
    called = getattr(function, "func", function)
    name = getattr(called, "__qualname__", type(called).__qualname__)
    raise TypeError(
        f"{verb} can only be applied to synchronous functions, and {name} returned a coroutine. "
        f"Write `await {name}(...)`, or `await portal({name}(...))` if synchronous code that it "
        "calls uses the ORM."
    )
