"""Extensions that are one for each operation, also where a schema was given an instance.

Strawberry deprecates ``extensions=[TurboExtension()]`` and uses the one instance for every
operation, at the same time: the end of one would cancel the fields of another, and a guard would
judge the document of another. https://github.com/strawberry-graphql/strawberry/issues/4369
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from strawberry.extensions import SchemaExtension
from typing_extensions import Self

Extension = TypeVar("Extension", bound="OperationExtension")


class OperationExtension(SchemaExtension):
    """An extension with a state of its own for each operation."""

    def renewed(self) -> Self:
        """Return an extension with the same options, for one operation."""
        found = copy.copy(self)
        found.begin()
        return found

    def begin(self) -> None:
        """Forget what is known of an operation."""


def one_for_each_operation(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``Schema.get_extensions`` that gives each operation its own copy of an instance."""

    @functools.wraps(original)
    def get_extensions(self: Any, *args: Any, **kwargs: Any) -> Any:
        shared = [each for each in self.extensions if isinstance(each, OperationExtension)]
        found = original(self, *args, **kwargs)
        if not shared:
            return found
        return [
            each.renewed() if any(each is instance for instance in shared) else each
            for each in found
        ]

    return get_extensions
