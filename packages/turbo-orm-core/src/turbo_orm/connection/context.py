"""What Django keeps on a connection but belongs to the context: query log and hooks.

A pooled wrapper serves another task with each operation. ``connection.queries``,
``CaptureQueriesContext`` and ``execute_wrapper`` are about the code that runs, so they live in a
context variable: a task sees what it and the tasks that it started did, no other task's.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
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


@contextlib.contextmanager
def added_hook(alias: str, hook: Any) -> Iterator[None]:
    """Put a hook in force for this context and the tasks begun in it."""
    before = context_hooks(alias)
    _hooks.set({**_hooks.get({}), alias: (*before, hook)})
    try:
        yield
    finally:
        _hooks.set({**_hooks.get({}), alias: before})
