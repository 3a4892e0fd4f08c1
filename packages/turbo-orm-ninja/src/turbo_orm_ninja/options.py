"""What one operation may say of itself, kept on its function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from turbo_orm import atomic

C = TypeVar("C", bound=Callable[..., Any])

OPTIONS = "_turbo_orm_ninja"


def option(function: Callable[..., Any], name: str, default: Any) -> Any:
    """Return what an operation's function says; decorators that use ``wraps`` keep it."""
    return getattr(function, OPTIONS, {}).get(name, default)


def set_option(function: C, name: str, value: Any) -> C:
    """Note an option on a function, and return the function."""
    options = {**getattr(function, OPTIONS, {}), name: value}
    setattr(function, OPTIONS, options)
    return function


def optimize(enabled: bool = True) -> Callable[[C], C]:
    """Say whether the querysets of one operation are optimised by its response schema.

    Args:
        enabled: False leaves them as they are returned.

    Use it below ``@api.get(...)``; ``TurboNinjaAPI(optimize=False)`` says it of all operations.
    """
    return lambda function: set_option(function, "optimize", enabled)


def atomic_operation(
    using: str | None = None, savepoint: bool = True, durable: bool = False
) -> Callable[[C], C]:
    """Let one operation run in a transaction: its function, and the fetching of what it returns.

    Args:
        using: the database alias; ``default`` if None.
        savepoint: whether a nested block is a savepoint of its own.
        durable: raise if there is a block around it.

    An exception rolls back, also one that a handler turns into a response; a response with a
    status of 400 or more commits, as with ``ATOMIC_REQUESTS``.
    """
    return lambda function: set_option(
        function, "atomic", lambda: atomic(using, savepoint=savepoint, durable=durable)
    )
