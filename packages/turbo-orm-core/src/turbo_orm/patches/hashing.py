"""Password hashing beside the event loop: it burns CPU for hundreds of milliseconds."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher

from ..bridge import in_bridge, portal
from ..offload import offload
from .blocking import offload_methods

EXPENSIVE = ("encode", "verify", "harden_runtime")


def get_hasher(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``get_hasher`` whose hashers, in the bridge, do their work in a thread.

    Everything that hashes asks it for a hasher, whoever imported ``make_password`` or
    ``check_password`` by name; and what follows from the hash, such as saving a user whose hash was
    upgraded, stays in the bridge.
    """

    @functools.wraps(original)
    def get_hasher_for_bridge(algorithm: Any = "default") -> Any:
        hasher = original(algorithm)
        # On the object, which Django keeps: of its class others may make hashers, or count calls.
        if isinstance(hasher, BasePasswordHasher) and in_bridge():
            offload_methods(hasher, EXPENSIVE)
        return hasher

    return get_hasher_for_bridge


def in_thread(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``sync_to_async`` for what hashes and nothing else."""

    @functools.wraps(original)
    def threaded(function: Callable[..., Any], **options: Any) -> Callable[..., Awaitable[Any]]:
        return functools.partial(offload, function)

    return threaded


def in_portal(original: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that may call synchronous code which waits: for a hash."""

    @functools.wraps(original)
    async def call_in_portal(*args: Any, **kwargs: Any) -> Any:
        coroutine = original(*args, **kwargs)
        # They may hold a password, and Django's error reports show the variables of each frame.
        del args, kwargs
        return await portal(coroutine)

    return call_in_portal
