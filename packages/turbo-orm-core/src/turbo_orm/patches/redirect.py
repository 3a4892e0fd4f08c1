"""Put Django's own names in their replacements' place and back: see ``redirects`` for which.

Django's awaitable methods hand their synchronous twins to ``sync_to_async``. Where that name is
looked up in Django's modules, it finds ours, which runs them in the bridge.
"""

from __future__ import annotations

import sys
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured

from ..foreign import find, has, names_in
from . import names
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
    # Plans are off without the names that only they replace: see `names`.
    rows = [row for row in candidates if row.applies and row.path not in names.gone]
    for row in rows:
        _verify(row)
    for row in rows:
        owner, key = find(row.owner), (row.owner, row.name)
        if key in _originals:
            continue
        _originals[key] = vars(owner).get(row.name, _MISSING)
        setattr(owner, row.name, row.replacement(getattr(owner, row.name, None)))


def revert() -> None:
    """Put Django's own names back."""
    while _originals:
        (owner, name), original = _originals.popitem()
        if original is _MISSING:
            delattr(find(owner), name)
        else:
            setattr(find(owner), name, original)


def _verify(row: Redirect) -> None:
    try:
        owner = find(row.owner)
    except (ImportError, AttributeError):
        raise _gone(row, f"{row.owner} is gone") from None
    if not row.new and not has(owner, row.name):
        raise _gone(row, f"{row.owner} has no {row.name}")
    for user in row.users:
        if row.name not in _names_in(owner, user):
            raise _gone(row, f"{user} does not use {row.name}")


def _gone(row: Redirect, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"Turbo ORM redirects {row.owner}.{row.name}, but in Django {django.get_version()} {what}. "
        "Install a version of Turbo ORM that knows this Django, or set "
        'TURBO_ORM = {"REDIRECT_DJANGO": False}; AsyncManager and AsyncModel work without it.'
    )


def _names_in(owner: Any, user: str) -> set[object]:
    path, _, inner = user.partition(":")
    function = owner
    for name in path.split("."):
        function = getattr(function, name, None)
    return names_in(function, inner)
