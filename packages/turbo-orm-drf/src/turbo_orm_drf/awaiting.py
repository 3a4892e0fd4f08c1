"""Where DRF's synchronous code calls a coroutine function: the bridge waits for it there.

DRF calls methods of views, serializers and policies without awaiting them. A method that a project
has written as a coroutine function is replaced by one that waits when synchronous code calls it,
and that is the coroutine function it was when a coroutine calls it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from types import FrameType, FunctionType, MethodType
from typing import Any

from asgiref.sync import iscoroutinefunction

from turbo_orm import await_

ASYNCHRONOUS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE
# What says of a function that it returns an awaitable, on any Python.
MARKS = ("_is_coroutine", "_is_coroutine_marker")
# What permissions are known by.
ASKED = "has_permission"


def settled(value: Any) -> Any:
    """Return a value, waiting for it in the bridge if it is awaitable.

    Args:
        value: what code of the project's returned.

    Raises:
        MissingBridge: it is awaitable, and this code is not in the bridge.
        BaseException: whatever the awaitable raises.
    """
    if hasattr(type(value), "__await__"):
        return await_(value, suspending=True)
    return value


def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that waits for a coroutine function if its caller cannot.

    Args:
        function: a coroutine function, bound or not; one of any other kind is returned as it is.
    """
    if not iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    def call_and_wait(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return result if _may_await(sys._getframe(1)) else settled(result)

    for mark in MARKS:
        vars(call_and_wait).pop(mark, None)
    return call_and_wait


def _may_await(frame: FrameType | None) -> bool:
    """Tell whether the code of a frame is that of a coroutine."""
    while frame is not None:
        if frame.f_code.co_flags & ASYNCHRONOUS:
            return True
        # Comprehensions and lambdas belong to the function that they are written in.
        if not frame.f_code.co_name.startswith("<"):
            return False
        frame = frame.f_back
    return False


def wait_in_methods(cls: type, names: Iterable[str]) -> None:
    """Let DRF call a class's coroutine functions of some names.

    Args:
        cls: a class that has just been made.
        names: of methods that it may have, itself or from any base.
    """
    for name in names:
        function = inspect.getattr_static(cls, name, None)
        if inspect.isfunction(function) and iscoroutinefunction(function):
            setattr(cls, name, waiting(function))


def methods_of(*classes: type) -> frozenset[str]:
    """Return the names of the public methods that classes of DRF's define."""
    return frozenset(
        name
        for cls in classes
        for name, value in vars(cls).items()
        if inspect.isfunction(value) and not name.startswith("_")
    )


def adopted(policy: Any) -> Any:
    """Let DRF call the coroutine functions of a policy, or of each in a list.

    Args:
        policy: a permission, throttle, authenticator, parser, renderer, filter backend, paginator
            or serializer field: an instance, changed in place. A coroutine function, such as an
            exception handler, is returned as a function that waits.

    Returns:
        The policy.
    """
    kind: Any = type(policy)
    if kind is list or kind is tuple:
        for one in policy:
            adopted(one)
        return policy
    if kind is FunctionType or kind is MethodType:
        return waiting(policy)
    names, is_permission = _of_kind(kind)
    for name in names:
        if name not in vars(policy):
            setattr(policy, name, waiting(getattr(policy, name)))
    if is_permission:
        _adopt_operands(policy)
    return policy


def _adopt_operands(permission: Any) -> None:
    """Adopt the permissions that one is composed of, by DRF's operators or a project's own.

    To a synchronous one that asks them, a coroutine would be true.
    """
    for operand in vars(permission).values():
        kind = type(operand)
        if kind is list or kind is tuple or hasattr(kind, ASKED):
            adopted(operand)


@functools.lru_cache(maxsize=1024)
def _of_kind(kind: type) -> tuple[tuple[str, ...], bool]:
    """Return the names of a class's coroutine functions, and whether it is a permission."""
    names = (
        name
        for name in dir(kind)
        if not name.startswith("_") and iscoroutinefunction(_function(kind, name))
    )
    return tuple(names), hasattr(kind, ASKED)


def _function(kind: type, name: str) -> Any:
    attribute = inspect.getattr_static(kind, name)
    return getattr(attribute, "__func__", attribute)
