"""The rows for the database layer: querysets, models, related managers, transactions."""

from __future__ import annotations

from ...query import plain
from .. import database, threads
from .row import Redirect

RELATED = ("aadd", "aclear", "acreate", "aget_or_create", "aremove", "aset", "aupdate_or_create")
QUERYSET = (
    *("aaggregate", "abulk_create", "abulk_update", "acontains", "acount", "acreate", "adelete"),
    *("aearliest", "aexists", "aexplain", "afirst", "aget", "aget_or_create", "ain_bulk", "alast"),
    *("alatest", "aupdate", "aupdate_or_create", "__aiter__"),
)


def _of_related(factory: str) -> tuple[str, ...]:
    return tuple(f"{factory}:{name}" for name in RELATED)


DATABASE = (
    Redirect(
        "django.db.models.query",
        "sync_to_async",
        threads.sync_to_async,
        (*(f"QuerySet.{name}" for name in QUERYSET), "RawQuerySet.__aiter__"),
    ),
    Redirect(
        "django.db.models.query",
        "sync_to_async",
        threads.sync_to_async,
        ("aprefetch_related_objects",),
        since=(5, 0),
    ),
    Redirect("django.db.models.query.QuerySet", "aiterator", database.aiterator),
    Redirect(
        "django.db.models.base",
        "sync_to_async",
        threads.sync_to_async,
        ("Model.asave", "Model.adelete", "Model.arefresh_from_db"),
    ),
    Redirect(
        "django.db.models.fields.related_descriptors",
        "sync_to_async",
        threads.sync_to_async,
        (
            *_of_related("create_reverse_many_to_one_manager"),
            *_of_related("create_forward_many_to_many_manager"),
        ),
    ),
    Redirect(
        "django.contrib.contenttypes.fields",
        "sync_to_async",
        threads.sync_to_async,
        _of_related("create_generic_related_manager"),
        app="django.contrib.contenttypes",
    ),
    Redirect(
        "django.db.models.query_utils.RegisterLookupMixin",
        "_clear_cached_class_lookups",
        database.forget_plans,
        ("register_class_lookup", "_unregister_class_lookup"),
    ),
    Redirect("django.utils.connection.BaseConnectionHandler", "all", database.all_connections),
    Redirect("django.db.models.manager.BaseManager", "get_queryset", plain.get_queryset),
    Redirect("django.db.models.query.QuerySet", "_insert", database.insert),
    Redirect("django.db.models.base.Model", "_do_update", database.do_update),
    Redirect("django.db.transaction.Atomic", "__enter__", database.enter),
    Redirect("django.db.transaction.Atomic", "__exit__", database.leave),
    Redirect("django.db.transaction.Atomic", "__aenter__", database.aenter, new=True),
    Redirect("django.db.transaction.Atomic", "__aexit__", database.aexit, new=True),
    Redirect("django.db.transaction.Atomic", "__call__", database.decorate),
)
