"""What decorators have wrapped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def layers_of(function: Any) -> Iterator[Any]:
    """Yield a function, and inwards all that decorators have wrapped with ``functools.wraps``.

    Args:
        function: any; nothing is yielded of None.
    """
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)
