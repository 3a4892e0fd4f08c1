"""Mode `native`: the synchronous methods that Django's tests call run their awaitable twins.

`qs.get()` runs `await qs.aget()` in a task of its own, outside the bridge, as user code would.
What that does inside is Django's own synchronous code again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

from django.db import models, transaction
from django.db.models.fields import related_descriptors
from django.db.models.query import QuerySet, RawQuerySet

from turbo_orm import await_, in_bridge
from turbo_orm.leases.entering import enter, leave
from turbo_orm.patches.redirects.database import RELATED
from turbo_orm.plan import originals
from turbo_orm.query.planned import PlannedQuerySet
from turbo_orm.query.queryset import TERMINALS, AsyncQuerySet

from .loop import in_task, inside

MODEL_METHODS = ("asave", "adelete", "arefresh_from_db")


def at_top() -> bool:
    """Tell whether this is a test's own code, not that of an awaitable twin."""
    return in_bridge() and not inside.get()


def awaited(coroutine: Any) -> Any:
    """Await something in a task whose context is marked as inside."""
    return in_task(coroutine)


def twin(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a method that awaits the twin `name` when a test calls it."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        # An overridden method that calls super() has its own twin, which would call it again.
        overridden = getattr(type(self), name[1:], method) is not method
        if overridden or not at_top():
            return original(self, *args, **kwargs)
        return awaited(getattr(self, name)(*args, **kwargs))

    return method


async def drain(rows: Any) -> None:
    """Iterate asynchronously to the end."""
    async for _ in rows:
        pass


def fetch_all(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a `_fetch_all` that evaluates by `async for`."""

    def method(self: Any) -> None:
        if at_top() and self._result_cache is None:
            awaited(drain(self))
        else:
            original(self)

    return method


def iterator(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an `iterator` that takes its rows from `aiterator`."""

    @functools.wraps(original)
    def method(self: Any, chunk_size: int | None = None) -> Iterator[Any]:
        if not at_top() or chunk_size is None or chunk_size <= 0:
            return iter(original(self, chunk_size))
        return rows_of(self.aiterator(chunk_size))

    return method


def rows_of(generator: Any) -> Iterator[Any]:
    """Yield what an asynchronous generator yields."""
    try:
        while True:
            try:
                yield awaited(generator.__anext__())
            except StopAsyncIteration:
                return
    finally:
        if in_bridge():
            awaited(generator.aclose())


def atomic_enter(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an `Atomic.__enter__` that enters our asynchronous block."""

    def method(self: Any) -> None:
        if at_top():
            with_inside(enter, self)
        else:
            original(self)

    return method


def atomic_exit(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an `Atomic.__exit__` that leaves our asynchronous block."""

    def method(self: Any, *error: Any) -> None:
        if at_top():
            with_inside(leave, self, *error)
        else:
            original(self, *error)

    return method


def with_inside(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function in this task and context, marked as inside meanwhile."""

    async def call() -> Any:
        return function(*args)

    token = inside.set(True)
    try:
        return await_(call())
    finally:
        inside.reset(token)


def related(factory: Callable[..., Any]) -> Callable[..., Any]:
    """Return a factory of related managers whose synchronous methods await their twins."""

    @functools.wraps(factory)
    def make(*args: Any, **kwargs: Any) -> Any:
        manager = factory(*args, **kwargs)
        for name in RELATED:
            original = vars(manager).get(name[1:])
            if original is not None and name in vars(manager):
                replaced = twin(original, name)
                replaced.__dict__.update(vars(original))
                setattr(manager, name[1:], replaced)
        return manager

    return make


def natively(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs the suite with every replacement in place."""

    def replaced(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as stack:

            def put(owner: Any, name: str, value: Any) -> None:
                stack.enter_context(mock.patch.object(owner, name, value))
                originals.take_for_original(owner, name, value)

            for name in TERMINALS:
                for owner in AsyncQuerySet.__mro__:
                    if name[1:] in vars(owner) and issubclass(owner, QuerySet):
                        put(owner, name[1:], twin(getattr(owner, name[1:]), name))
            for name in MODEL_METHODS:
                put(models.Model, name[1:], twin(getattr(models.Model, name[1:]), name))
            for owner in (PlannedQuerySet, RawQuerySet):
                put(owner, "_fetch_all", fetch_all(owner._fetch_all))
            put(QuerySet, "iterator", iterator(QuerySet.iterator))
            put(transaction.Atomic, "__enter__", atomic_enter(transaction.Atomic.__enter__))
            put(transaction.Atomic, "__exit__", atomic_exit(transaction.Atomic.__exit__))
            for name in (
                "create_reverse_many_to_one_manager",
                "create_forward_many_to_many_manager",
            ):
                put(related_descriptors, name, related(getattr(related_descriptors, name)))
            return run(*args, **kwargs)

    return replaced


def use_our_classes() -> None:
    """Make managers, querysets and awaitable models ours, before any test module is imported."""
    from django.db.models import base, manager, options, query

    from turbo_orm import AsyncManager, AsyncModelMixin, AsyncQuerySet

    for module in (models, manager, base, options):
        module.Manager = AsyncManager  # type: ignore[attr-defined]
    for module in (models, query):
        module.QuerySet = AsyncQuerySet  # type: ignore[attr-defined]
    for name in MODEL_METHODS:
        setattr(models.Model, name, vars(AsyncModelMixin)[name])
