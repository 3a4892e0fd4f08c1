"""The message of ``SynchronousOnlyOperation``: what was touched, and what to write instead.

The stack says what the caller touched. Only what exists on those very objects is recommended: a
plain model has no ``afetch()``, an older Django no ``aget_object_or_404()``.
"""

from __future__ import annotations

import sys
from types import FrameType

from .uses import Use, use_of

# Modules whose frames lie between the caller and the database.
INSIDE = ("django", "turbo_orm", "contextlib", "functools")


def refusal(alias: str) -> str:
    """Return the message for code that uses a database synchronously on the event loop.

    Args:
        alias: the database alias.
    """
    try:
        use = _find_use(sys._getframe(1))
    except Exception:  # objects of others may do anything; the refusal itself must come
        use = None
    what, remedies, _ = use or Use("A database was used")
    last = "run the synchronous code with `await run_sync(function)`"
    advice = f"Write {' or '.join(remedies)}, or {last}" if remedies else last.capitalize()
    return (
        f"{what} on the event loop, where synchronous code cannot wait for database {alias!r}. "
        f"{advice}."
    )


def _find_use(frame: FrameType | None) -> Use | None:
    """Return the outermost use inside the Django code that the nearest other code called."""
    found: Use | None = None
    at: FrameType | None = None
    called: FrameType | None = None
    while frame is not None:
        if _is_inside(frame):
            use = use_of(frame)
            if use is not None:
                found, at = use, frame
        elif found is not None and (at is called or not found.of_connection):
            break
        # Else code of others runs Django's compiler or iterators, as django-polymorphic does.
        called, frame = frame, frame.f_back
    return found


def _is_inside(frame: FrameType) -> bool:
    # Generated functions have no module.
    return str(frame.f_globals.get("__name__", "django")).partition(".")[0] in INSIDE
