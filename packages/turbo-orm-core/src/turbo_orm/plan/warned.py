"""Tell the warnings of the code that ran from those of what was collected meanwhile."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .record import ignore_said_already


class _Finalizer:
    """Warn where nobody can catch it, as what was collected did."""

    def __init__(self, warning: warnings.WarningMessage) -> None:
        self.warning = warning

    def __del__(self) -> None:
        said = self.warning
        warnings.warn_explicit(
            said.message, said.category, said.filename, said.lineno, source=said.source
        )


@contextmanager
def warned() -> Iterator[list[warnings.WarningMessage]]:
    """Keep the warnings of a block to itself.

    Garbage may be collected at any allocation, and what it then complains of (a coroutine that was
    never awaited, a connection left open) is no word of the block: it is passed on.

    Yields:
        What the block itself warned of, complete when it has ended.
    """
    own: list[warnings.WarningMessage] = []
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ignore_said_already()
            yield own
    finally:
        for warning in caught:
            if _of_garbage(warning):
                _Finalizer(warning)
            else:
                own.append(warning)


def _of_garbage(warning: warnings.WarningMessage) -> bool:
    return warning.source is not None or issubclass(warning.category, ResourceWarning)
