"""Checks of permissions, one after another: a user keeps what the first has found out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .operation import current_operation


def one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that runs once at a time among the fields of an operation.

    Django keeps a user's permissions on the user. Twenty fields that ask at once would load them
    twenty times; in synchronous execution the first does.
    """

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        operation = current_operation()
        if operation is None:
            return original(self, *args, **kwargs)
        with operation.permissions.turn():
            return original(self, *args, **kwargs)

    return method
