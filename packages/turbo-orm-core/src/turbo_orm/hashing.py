"""Password hashing beside the event loop: it burns CPU for hundreds of milliseconds."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher

from .bridge import await_thread, in_bridge, portal
from .offload import offload

EXPENSIVE = ("encode", "verify", "harden_runtime")


def get_hasher(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``get_hasher`` whose hashers, in the bridge, do their work in a thread.

    Everything that hashes asks it for a hasher, whoever imported ``make_password`` or
    ``check_password`` by name; and what follows from the hash, such as saving a user whose hash was
    upgraded, stays in the bridge.
    """

    @functools.wraps(original)
    def bridged(algorithm: Any = "default") -> Any:
        hasher = original(algorithm)
        return _offloading(hasher) if in_bridge() else hasher

    return bridged


def _offloading(hasher: Any) -> Any:
    kind: Any = type(hasher)
    if not issubclass(kind, BasePasswordHasher) or hasattr(kind, "of_turbo_orm"):
        return hasher
    made = object.__new__(_offloading_class(kind))
    # One state, so that what is changed of either is changed of both.
    made.__dict__ = hasher.__dict__
    return made


@functools.lru_cache(maxsize=64)
def _offloading_class(kind: Any) -> Any:
    methods = {name: _offloaded(getattr(kind, name)) for name in EXPENSIVE}
    return type(
        kind.__name__, (kind,), {**methods, "__module__": kind.__module__, "of_turbo_orm": True}
    )


def _offloaded(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def offloaded(*args: Any, **kwargs: Any) -> Any:
        # In the thread it is called again, by methods of the hasher.
        return await_thread(method, *args, **kwargs) if in_bridge() else method(*args, **kwargs)

    return offloaded


def in_thread(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` for what hashes and nothing else."""

    @functools.wraps(original)
    def threaded(function: Callable[..., Any], **options: Any) -> Callable[..., Awaitable[Any]]:
        return functools.partial(offload, function)

    return threaded


def in_portal(original: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that may call synchronous code which waits: for a hash."""

    @functools.wraps(original)
    async def bridged(*args: Any, **kwargs: Any) -> Any:
        coroutine = original(*args, **kwargs)
        # They may hold a password, and Django's error reports show the variables of each frame.
        del args, kwargs
        return await portal(coroutine)

    return bridged
