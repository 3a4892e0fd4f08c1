"""What Django keeps on a connection but belongs to the context: query log and hooks.

A pooled wrapper serves another task with each operation. ``connection.queries``,
``CaptureQueriesContext`` and ``execute_wrapper`` are about the code that runs, so they live in a
context variable: a task sees what it and the tasks that it started did, no other task's.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any


class QueryLog:
    """The queries of one alias in one context."""

    def __init__(self, limit: int) -> None:
        self.queries: deque[dict[str, str]] = deque(maxlen=limit)
        self.forced = False


_logs: ContextVar[Mapping[str, QueryLog]] = ContextVar("turbo_orm.query_logs")
_hooks: ContextVar[Mapping[str, tuple[Any, ...]]] = ContextVar("turbo_orm.execute_wrappers")


def find_query_log(alias: str) -> QueryLog | None:
    """Return the query log of this context, None if nothing asked for one."""
    logs = _logs.get(None)
    return None if logs is None else logs.get(alias)


def logged_aliases() -> Collection[str]:
    """Return the aliases of which this context has a query log."""
    return _logs.get(None) or ()


def query_log(alias: str, limit: int) -> QueryLog:
    """Return the query log of this context, begun if need be."""
    log = find_query_log(alias)
    if log is None:
        log = QueryLog(limit)
        _logs.set({**_logs.get({}), alias: log})
    return log


def context_hooks(alias: str) -> tuple[Any, ...]:
    """Return the ``execute_wrapper`` hooks in force in this context, outermost first."""
    hooks = _hooks.get(None)
    return () if hooks is None else hooks.get(alias, ())


def set_context_hooks(alias: str, hooks: tuple[Any, ...]) -> None:
    """Put hooks in force for this context and the tasks begun in it, in place of all others."""
    _hooks.set({**_hooks.get({}), alias: hooks})


@contextlib.contextmanager
def added_hook(alias: str, hook: Any) -> Iterator[None]:
    """Put a hook in force for this context and the tasks begun in it."""
    before = context_hooks(alias)
    set_context_hooks(alias, (*before, hook))
    try:
        yield
    finally:
        set_context_hooks(alias, before)


def _changing(name: str) -> Any:
    change = getattr(list, name)

    @wraps(change)
    def changed(self: Hooks, *args: Any, **kwargs: Any) -> Any:
        list.__init__(self, self.wrapper.execute_wrappers)
        result = change(self, *args, **kwargs)
        self.wrapper.execute_wrappers = self
        return result

    return changed


class Hooks(list[Any]):
    """The hooks of a wrapper, a list as Django's; what is changed in it is in force.

    Args:
        hooks: those in force.
        wrapper: has them in ``execute_wrappers``.
    """

    __slots__ = ("wrapper",)

    def __init__(self, hooks: Iterable[Any], wrapper: Any) -> None:
        super().__init__(hooks)
        self.wrapper = wrapper

    append = _changing("append")
    clear = _changing("clear")
    extend = _changing("extend")
    insert = _changing("insert")
    pop = _changing("pop")
    remove = _changing("remove")
    reverse = _changing("reverse")
    sort = _changing("sort")
    __delitem__ = _changing("__delitem__")
    __iadd__ = _changing("__iadd__")
    __imul__ = _changing("__imul__")
    __setitem__ = _changing("__setitem__")

    def __reduce__(self) -> Any:
        """Copy it as a mere list, which changes nothing here."""
        return list, ([*self],)
