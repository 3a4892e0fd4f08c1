"""The rows for the database layer: querysets, models, related managers, transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import replacements, testing
from ...leases.blocks import enter_in_turn, exit_in_turn
from ...query import plain
from .row import Redirect

RELATED = ("aadd", "aclear", "acreate", "aget_or_create", "aremove", "aset", "aupdate_or_create")
QUERYSET = (
    *("aaggregate", "abulk_create", "abulk_update", "acontains", "acount", "acreate", "adelete"),
    *("aearliest", "aexists", "aexplain", "afirst", "aget", "aget_or_create", "ain_bulk", "alast"),
    *("alatest", "aupdate", "aupdate_or_create", "__aiter__"),
)


def _entered(original: Callable[[Any], None]) -> Callable[[Any], None]:
    return testing.enter_block(enter_in_turn(original))


def _left(original: Callable[..., None]) -> Callable[..., None]:
    return testing.exit_block(exit_in_turn(original))


def _of_related(factory: str) -> tuple[str, ...]:
    return tuple(f"{factory}:{name}" for name in RELATED)


DATABASE = (
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
        "django.db.models.query_utils.RegisterLookupMixin",
        "_clear_cached_class_lookups",
        replacements.forget_plans,
        ("register_class_lookup", "_unregister_class_lookup"),
    ),
    Redirect("django.utils.connection.BaseConnectionHandler", "all", replacements.all_connections),
    Redirect("django.db.models.manager.BaseManager", "get_queryset", plain.get_queryset),
    Redirect("django.db.models.query.QuerySet", "_insert", replacements.insert),
    Redirect("django.db.models.base.Model", "_do_update", replacements.do_update),
    Redirect("django.db.transaction.Atomic", "__enter__", _entered),
    Redirect("django.db.transaction.Atomic", "__exit__", _left),
    Redirect("django.db.transaction.Atomic", "__aenter__", replacements.aenter, new=True),
    Redirect("django.db.transaction.Atomic", "__aexit__", replacements.aexit, new=True),
    Redirect("django.db.transaction.Atomic", "__call__", replacements.decorate),
)
