"""The one table of Django's own names that are replaced, so that its ``a*`` methods need no thread.

Django's awaitable methods hand their synchronous twins to ``sync_to_async``. Where that name is
looked up in the modules of the database layer, it finds ours, which runs them in the bridge.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from . import replacements

Replacement = Callable[[Any], Any]

RELATED = ("aadd", "aclear", "acreate", "aget_or_create", "aremove", "aset", "aupdate_or_create")
QUERYSET = (
    *("aaggregate", "abulk_create", "abulk_update", "acontains", "acount", "acreate", "adelete"),
    *("aearliest", "aexists", "aexplain", "afirst", "aget", "aget_or_create", "ain_bulk", "alast"),
    *("alatest", "aupdate", "aupdate_or_create", "__aiter__"),
)


@dataclasses.dataclass(frozen=True)
class Redirect:
    """One name of Django's that is replaced.

    Args:
        owner: the module or class that holds the name, as a dotted path.
        name: the name.
        replacement: makes the new value from Django's.
        users: functions of the owner, or ``factory:inner`` of one that a function defines, which
            must still refer to the name; else the replacement would silently do nothing.
        since: the first Django version that has it.
        before: the first that has it no more, None if all do.
        new: whether Django does not have the name, so that it is added.
        app: the application that must be installed for the owner to be importable.
    """

    owner: str
    name: str
    replacement: Replacement
    users: tuple[str, ...] = ()
    since: tuple[int, int] = (4, 2)
    before: tuple[int, int] | None = None
    new: bool = False
    app: str | None = None

    @property
    def applies(self) -> bool:
        """Whether the Django that is installed has this name, and the project the application."""
        version = django.VERSION[:2]
        if self.app is not None and not apps.is_installed(self.app):
            return False
        return self.since <= version and (self.before is None or version < self.before)


def _of_related(factory: str) -> tuple[str, ...]:
    return tuple(f"{factory}:{name}" for name in RELATED)


TABLE = (
    Redirect(
        "django.db.models.query",
        "sync_to_async",
        replacements.sync_to_async,
        (*(f"QuerySet.{name}" for name in QUERYSET), "RawQuerySet.__aiter__"),
    ),
    Redirect(
        "django.db.models.query",
        "sync_to_async",
        replacements.sync_to_async,
        ("aprefetch_related_objects",),
        since=(5, 0),
    ),
    Redirect("django.db.models.query.QuerySet", "aiterator", replacements.aiterator),
    Redirect(
        "django.db.models.base",
        "sync_to_async",
        replacements.sync_to_async,
        ("Model.asave", "Model.adelete", "Model.arefresh_from_db"),
    ),
    Redirect(
        "django.db.models.fields.related_descriptors",
        "sync_to_async",
        replacements.sync_to_async,
        (
            *_of_related("create_reverse_many_to_one_manager"),
            *_of_related("create_forward_many_to_many_manager"),
        ),
    ),
    Redirect(
        "django.contrib.contenttypes.fields",
        "sync_to_async",
        replacements.sync_to_async,
        _of_related("create_generic_related_manager"),
        app="django.contrib.contenttypes",
    ),
    Redirect(
        "django.contrib.sessions.backends.db",
        "sync_to_async",
        replacements.sync_to_async,
        ("SessionStore.asave",),
        since=(5, 1),
        app="django.contrib.sessions",
    ),
    Redirect(
        "django.db.models.query_utils.RegisterLookupMixin",
        "_clear_cached_class_lookups",
        replacements.forget_plans,
        ("register_class_lookup", "_unregister_class_lookup"),
    ),
    Redirect("django.db.models.query.QuerySet", "_insert", replacements.insert),
    Redirect("django.db.models.base.Model", "_do_update", replacements.do_update),
    Redirect("django.db.transaction.Atomic", "__aenter__", replacements.aenter, new=True),
    Redirect("django.db.transaction.Atomic", "__aexit__", replacements.aexit, new=True),
    Redirect("django.db.transaction.Atomic", "__call__", replacements.decorate),
    Redirect(
        "django.dispatch.dispatcher",
        "sync_to_async",
        replacements.sync_to_async,
        ("Signal.asend", "Signal.asend_robust"),
        since=(5, 0),
    ),
    Redirect(
        "django.dispatch.dispatcher",
        "async_to_sync",
        replacements.async_to_sync,
        ("Signal.send", "Signal.send_robust"),
        since=(5, 0),
    ),
    Redirect(
        "django.dispatch.dispatcher",
        "asyncio",
        replacements.sequential_asyncio,
        ("Signal.send", "Signal.send_robust"),
        since=(5, 0),
        before=(6, 1),
    ),
    Redirect(
        "django.dispatch.dispatcher",
        "_run_parallel",
        replacements.run_in_turn,
        ("Signal.send", "Signal.send_robust"),
        since=(6, 1),
    ),
)

_MISSING = object()
_originals: dict[tuple[str, str], Any] = {}


def apply() -> None:
    """Put every replacement in place; safe to call again.

    Raises:
        ImproperlyConfigured: a name of the table is not in this Django any more, or is not used
            where it was; nothing is replaced then.
    """
    if _originals:
        return
    rows = [row for row in TABLE if row.applies]
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
