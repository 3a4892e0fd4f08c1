"""Operations and controllers of django-ninja-extra, in the bridge instead of in threads.

An asynchronous operation of ``ninja_extra`` hands most of its steps to ``sync_to_async``. Its
synchronous one has the same steps: here that one runs in the bridge, and waits for what the
operation's function returns. This package does not need ``ninja_extra``, and never imports it.
"""

from __future__ import annotations

import functools
import importlib
import logging
import sys
from collections.abc import Callable
from typing import Any

from ninja.operation import Operation

from turbo_orm import await_, in_bridge
from turbo_orm.lifecycle import can_await_all

from .awaiting import settled
from .call import current_call

logger = logging.getLogger("turbo_orm_ninja")

OPERATION = "ninja_extra.operation"


def synchronous_run(operation: Operation) -> Callable[..., Any] | None:
    """Return what runs an operation of ``ninja_extra`` synchronously, in the bridge.

    Args:
        operation: bound, with all that it has inherited.

    Returns:
        ``Operation.run`` of a synchronous twin; None for an operation of Ninja's own, and where
        permissions may ask a database that needs a thread.
    """
    module: Any = sys.modules.get(OPERATION)
    if module is None or not isinstance(operation, module.AsyncOperation) or not can_await_all():
        return None
    install()
    twin = object.__new__(module.Operation)
    vars(twin).update(vars(operation))
    twin.auth_callbacks = [_settling(callback) for callback in operation.auth_callbacks]
    if operation.stream_format is None:
        twin.view_func = _waiting(operation.view_func)
    else:
        twin._stream_response = _waiting(operation._async_stream_response)
    return functools.partial(module.Operation.run, twin)


def _settling(callback: Callable[..., Any]) -> Callable[..., Any]:
    def authenticate(request: Any) -> Any:
        return settled(callback(request))

    return authenticate


def _waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that waits, in the bridge, for what a coroutine function returns."""

    @functools.wraps(function)
    def wait_for_operation(*args: Any, **kwargs: Any) -> Any:
        return await_(function(*args, **kwargs), suspending=True)

    return wait_for_operation


def is_here() -> bool:
    """Tell whether this is the code of such an operation, in the bridge."""
    call = current_call()
    return call is not None and call.endpoint.synchronous is not None and in_bridge()


def inline(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` that calls the function where it is, if it can wait there."""

    @functools.wraps(original)
    def sync_to_async(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        async def call_in_bridge(*args: Any, **kwargs: Any) -> Any:
            if is_here():
                return function(*args, **kwargs)
            return await original(function, **options)(*args, **kwargs)

        return call_in_bridge

    return sync_to_async


def awaited(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``execute_coroutine`` that waits where it is, if it can."""

    @functools.wraps(original)
    def execute_coroutine(coroutine: Any) -> Any:
        return await_(coroutine, suspending=True) if is_here() else original(coroutine)

    return execute_coroutine


def synchronously(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``async_check_object_permissions`` that asks as the synchronous method does."""

    @functools.wraps(original)
    async def async_check_object_permissions(self: Any, obj: Any) -> None:
        if is_here():
            self.check_object_permissions(obj)
        else:
            await original(self, obj)

    return async_check_object_permissions


# What takes threads within an operation: a module or class, the name in it, what stands for it.
CONTROLLER = "ninja_extra.controllers.base.ControllerBase"
TABLE: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("ninja_extra.controllers.model.service", "sync_to_async", inline),
    ("ninja_extra.ordering.operation", "sync_to_async", inline),
    ("ninja_extra.pagination.operations", "sync_to_async", inline),
    ("ninja_extra.searching.operations", "sync_to_async", inline),
    ("ninja_extra.permissions.base", "execute_coroutine", awaited),
    (CONTROLLER, "async_check_object_permissions", synchronously),
)


@functools.lru_cache(maxsize=1)
def install() -> None:
    """Replace the names; outside operations of the adapter's they do what they did.

    A name that is gone is logged: ``ninja_extra`` has a thread there, as without Turbo ORM.
    """
    for path, name, replacement in TABLE:
        try:
            owner = _owner(path)
            setattr(owner, name, replacement(getattr(owner, name)))
        except (ImportError, AttributeError):
            logger.warning("%s.%s is gone: ninja_extra uses a thread there.", path, name)


def _owner(path: str) -> Any:
    """Return a module, or a class of one."""
    module, _, name = path.rpartition(".")
    if name[0].isupper():
        return getattr(importlib.import_module(module), name)
    return importlib.import_module(path)
