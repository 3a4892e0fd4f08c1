"""Give synchronous methods their awaitable twins, with Django's own names and signatures."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ..bridge import enter_bridge, in_bridge

C = TypeVar("C", bound=type)


def awaited(name: str, like: Any = None) -> Callable[..., Any]:
    """Return a coroutine method that runs the method ``name[1:]`` of its object in the bridge.

    Args:
        name: Django's name of the awaitable form, such as ``aget``.
        like: Django's own function of that name, whose signature and docstring it takes.
    """
    synchronous = name[1:]

    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Looked up on the object, so that an overridden synchronous method is honoured.
        function = getattr(self, synchronous)
        if in_bridge():
            return function(*args, **kwargs)
        return await enter_bridge(function, args, kwargs)

    if like is not None:
        functools.update_wrapper(method, like)
        del method.__wrapped__  # type: ignore[attr-defined]
        method.__signature__ = inspect.signature(like)  # type: ignore[attr-defined]
    method.__name__ = name
    return method


def with_awaited(names: Iterable[str], like: type | None = None) -> Callable[[C], C]:
    """Return a class decorator that defines each name as the awaited twin of its method.

    Args:
        names: Django's names of the awaitable forms.
        like: Django's class with methods of those names, if it is no base of the decorated one.
    """

    def decorate(cls: C) -> C:
        for name in names:
            method = awaited(name, getattr(like or cls, name, None))
            method.__qualname__ = f"{cls.__qualname__}.{name}"
            method.__module__ = cls.__module__
            setattr(cls, name, method)
        return cls

    return decorate
