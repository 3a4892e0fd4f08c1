"""Everything that leaves the event loop, seen in one place: calls for threads, and queries."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any, Protocol, TypeVar
from unittest import mock

from asgiref.sync import SyncToAsync
from django.db.backends.utils import CursorWrapper

from ..bridge import in_bridge, on_event_loop, run_any

T = TypeVar("T")

# The threads of `turbo_orm.offload`, which the library itself sends expensive work to.
OWN = "turbo_orm"


class Watcher(Protocol):
    """Is told of what leaves the event loop."""

    def note_thread(self, function: str, *, exempt: bool) -> None:
        """Note that a function is being sent to a thread, one that may be or not."""

    def note_query(self, sql: str) -> None:
        """Note that a statement is being executed on the event loop, but outside the bridge."""


_watchers: list[Watcher] = []
_keepers: list[object] = []
_patches = contextlib.ExitStack()
# Whether the thread that is about to be asked for has been told of: one call passes several doors.
_told: contextvars.ContextVar[bool] = contextvars.ContextVar("turbo_orm.told", default=False)


@contextlib.contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Tell a watcher what leaves the event loop."""
    with _listed(watcher, _watchers):
        yield


@contextlib.contextmanager
def kept_on_loop() -> Iterator[None]:
    """Run what is sent to the one thread for synchronous code in the bridge instead."""
    with _listed(object(), _keepers):
        yield


@contextlib.contextmanager
def _listed(one: T, members: list[T]) -> Iterator[None]:
    if not _watchers and not _keepers:
        _patch()
    members.append(one)
    try:
        yield
    finally:
        members.remove(one)
        if not _watchers and not _keepers:
            _patches.close()


def _patch() -> None:
    doors: list[tuple[Any, str, Callable[[Any], Any]]] = [
        (SyncToAsync, "__call__", _converted),
        (ThreadPoolExecutor, "submit", _submitted),
        (Thread, "start", _started),
        (CursorWrapper, "execute", _executed),
        (CursorWrapper, "executemany", _executed),
    ]
    for owner, name, made in doors:
        _patches.enter_context(mock.patch.object(owner, name, made(getattr(owner, name))))


@contextlib.contextmanager
def _telling(function: Any, args: tuple[Any, ...] = (), *, own: bool = False) -> Iterator[None]:
    if not _told.get():
        called = _innermost(function, args)
        name = _name(called)
        # asyncio resolves the name of a server in a thread, and ends its executor in one.
        exempt = own or called is socket.getaddrinfo or name.startswith("asyncio.base_events.")
        for watcher in _watchers:
            watcher.note_thread(name, exempt=exempt)
    token = _told.set(True)
    try:
        yield
    finally:
        _told.reset(token)


def _converted(original: Callable[..., Any]) -> Callable[..., Any]:
    async def call_or_refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _telling(self.func):
            if not (_keepers and self._thread_sensitive):
                return await original(self, *args, **kwargs)
        return await run_any(self.func, *args, **kwargs)

    return call_or_refuse


def _submitted(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        with _telling(fn, args, own=self._thread_name_prefix == OWN):
            return original(self, fn, *args, **kwargs)

    return submit


def _started(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Any) -> None:
        with _telling(getattr(self, "_target", None) or self.run):
            original(self)

    return start


def _executed(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute(self: Any, sql: Any, *args: Any, **kwargs: Any) -> Any:
        if on_event_loop() and not in_bridge():
            for watcher in _watchers:
                watcher.note_query(str(sql))
        return original(self, sql, *args, **kwargs)

    return execute


def _innermost(function: Any, args: tuple[Any, ...]) -> Any:
    """Return what will be called in the end: executors are given functions in wrappings."""
    while True:
        if isinstance(function, functools.partial):
            function, args = function.func, (*function.args, *args)
        elif isinstance(getattr(function, "__self__", None), contextvars.Context) and args:
            function, args = args[0], args[1:]
        else:
            return function


def _name(function: Any) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    module = getattr(named, "__module__", None)
    return f"{module}.{named.__qualname__}" if module else str(named.__qualname__)
