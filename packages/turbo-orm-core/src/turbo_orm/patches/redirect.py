"""Put Django's own names in their replacements' place and back: see ``redirects`` for which.

Django's awaitable methods hand their synchronous twins to ``sync_to_async``. Where that name is
looked up in Django's modules, it finds ours, which runs them in the bridge.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured

from .redirects import TABLE, Redirect

_MISSING = object()
_originals: dict[tuple[str, str], Any] = {}


def apply() -> None:
    """Put every replacement in place; safe to call again.

    Raises:
        ImproperlyConfigured: a name of the table is not in this Django any more, or is not used
            where it was; nothing is replaced then.
    """
    if not _originals:
        _apply([row for row in TABLE if not row.in_tests or row.owner in sys.modules])


def apply_in_tests() -> None:
    """Put the replacements in place that only tests need, unless settings keep Django as it is.

    Raises:
        ImproperlyConfigured: as ``apply``.
    """
    if _originals:
        _apply([row for row in TABLE if row.in_tests])


def _apply(candidates: list[Redirect]) -> None:
    rows = [row for row in candidates if row.applies]
    for row in rows:
        _verify(row)
    for row in rows:
        owner, key = _resolve(row.owner), (row.owner, row.name)
        if key in _originals:
            continue
        _originals[key] = vars(owner).get(row.name, _MISSING)
        setattr(owner, row.name, row.replacement(getattr(owner, row.name, None)))


def revert() -> None:
    """Put Django's own names back."""
    while _originals:
        (owner, name), original = _originals.popitem()
        if original is _MISSING:
            delattr(_resolve(owner), name)
        else:
            setattr(_resolve(owner), name, original)


def _resolve(path: str) -> Any:
    """Return the module or class at a dotted path."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


def _verify(row: Redirect) -> None:
    try:
        owner = _resolve(row.owner)
    except (ModuleNotFoundError, AttributeError):
        raise _gone(row, f"{row.owner} is gone") from None
    if not row.new and not hasattr(owner, row.name):
        raise _gone(row, f"{row.owner} has no {row.name}")
    for user in row.users:
        if not any(row.name in code.co_names for code in _codes(owner, user)):
            raise _gone(row, f"{user} does not use {row.name}")


def _gone(row: Redirect, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"Turbo ORM redirects {row.owner}.{row.name}, but in Django {django.get_version()} {what}. "
        "Install a version of Turbo ORM that knows this Django, or set "
        'TURBO_ORM = {"REDIRECT_DJANGO": False}; AsyncManager and AsyncModel work without it.'
    )


def _codes(owner: Any, user: str) -> Iterator[CodeType]:
    """Yield the code of a function, of all that it defines, or only of the inner one named."""
    path, _, inner = user.partition(":")
    function = owner
    for name in path.split("."):
        function = getattr(function, name, None)
    code = getattr(function, "__code__", None)
    if code is None:
        return
    for found in _nested(code):
        if not inner or found.co_name == inner:
            yield from _nested(found)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)
