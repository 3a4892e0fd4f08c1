"""Log what fails in a plan where Django does the same without an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from types import TracebackType

from .operation import Operation

logger = logging.getLogger("turbo_orm")

_logged: set[tuple[type, str, int]] = set()


def log_failures(errors: Iterable[Exception], operation: Operation) -> None:
    """Log errors with their tracebacks, but none whose place was logged before.

    Args:
        errors: what a plan, or the making of one, raised where Django has raised nothing.
        operation: what was done.
    """
    for error in errors:
        place = type(error), *_place(error.__traceback__)
        if place not in _logged:
            _logged.add(place)
            logger.error(
                "A plan failed in %s. Django has executed the query instead, so its result is "
                "right. Please report this.",
                operation,
                exc_info=error,
            )


def _place(traceback: TracebackType | None) -> tuple[str, int]:
    if traceback is None:
        return "", 0
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
