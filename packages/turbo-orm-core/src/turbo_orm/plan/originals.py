"""What plans skip of Django, and whether somebody has put something else in its place.

Other packages replace methods of Django's, at any time: they profile, cache, filter by tenant. A
plan that skips such a method would skip the replacement too, so it stands aside as long as the
method is not Django's own. ``SKIPPED`` and ``COMPILERS`` are the table of those methods; a guard
compares them by identity.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from django.core.signals import setting_changed
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model, QuerySet, deletion, lookups
from django.db.models import query as query_module
from django.db.models.fields import related_lookups
from django.db.models.sql import DeleteQuery, InsertQuery, Query, UpdateQuery
from django.db.models.sql import compiler as compilers

try:
    from django.db.backends.postgresql import compiler as postgresqls
except ImportError:  # before Django 5.2 PostgreSQL has no compilers of its own
    postgresqls = compilers  # type: ignore[misc]

from ..connection.engine import engine_class, idle_wrapper
from .source import Source

Guard = Callable[[], bool]
# A class or module, and names in it. Releases differ: a name that is not there is left out.
Names = tuple[Any, tuple[str, ...]]

# Stands for an original that had been replaced when it was first looked at: no method is like it.
UNKNOWN: Any = object()
# Whose functions are originals: Django's, and those that this library puts in their place.
OWNERS = ("django.", "turbo_orm.")

BUILDING: Names = (
    Query,
    (
        *("__init__", "add_annotation", "add_deferred_loading", "add_fields"),
        *("add_immediate_loading", "add_ordering", "add_q", "add_select_related"),
        *("build_filter", "build_lookup", "chain", "clear_ordering", "clone", "set_limits"),
        *("set_values", "get_compiler"),
    ),
)
# What is called for a condition, on the classes that define it.
LOOKUPS: tuple[Names, ...] = (
    (lookups.Lookup, ("__init__", "get_prep_lookup", "process_lhs", "process_rhs")),
    (lookups.BuiltinLookup, ("as_sql", "get_rhs_op", "process_lhs")),
    (lookups.FieldGetDbPrepValueMixin, ("get_db_prep_lookup",)),
    (lookups.Exact, ("as_sql", "get_prep_lookup")),
    (lookups.In, ("as_sql", "get_prep_lookup", "process_rhs")),
    (lookups.PatternLookup, ("get_rhs_op", "process_rhs")),
    (related_lookups.RelatedLookupMixin, ("as_sql", "get_prep_lookup")),
    (related_lookups.RelatedIn, ("as_sql", "get_prep_lookup")),
)
# The same, on the classes of a plan's own lookups.
LOOKUP_NAMES = (
    *("__init__", "as_sql", "get_db_prep_lookup", "get_prep_lookup", "get_rhs_op", "process_lhs"),
    "process_rhs",
)
_ITERABLES = (
    *(query_module.ModelIterable, query_module.ValuesIterable, query_module.ValuesListIterable),
    *(query_module.NamedValuesListIterable, query_module.FlatValuesListIterable),
)

WRAPPER_NAMES = (
    *("_cursor", "create_cursor", "cursor", "ensure_connection", "make_cursor"),
    *("make_debug_cursor", "queries_logged"),
)

# By what is done: the methods of Django's that are not called if a plan does it.
SKIPPED: Mapping[str, tuple[Names, ...]] = {
    # A step of a chain, which is only recorded. Another's `_clone()` is called.
    "step": (
        (
            QuerySet,
            (
                *("__getitem__", "_annotate", "_chain", "_filter_or_exclude"),
                *("_filter_or_exclude_inplace", "_values", "alias", "annotate", "defer"),
                *("distinct", "exclude", "filter", "only", "order_by", "ordered"),
                *("prefetch_related", "query", "reverse", "select_related", "values"),
                "values_list",
            ),
        ),
    ),
    # The methods that end a chain.
    "_fetch_all": ((QuerySet, ("_fetch_all",)),),
    "get": ((QuerySet, ("get", "__len__")),),
    "first": ((QuerySet, ("first", "__iter__")),),
    "last": ((QuerySet, ("last", "__iter__")),),
    "earliest": ((QuerySet, ("earliest", "_earliest", "get", "__len__")),),
    "latest": ((QuerySet, ("latest", "_earliest", "get", "__len__")),),
    "contains": ((QuerySet, ("contains",)),),
    "count": ((QuerySet, ("count",)),),
    "exists": ((QuerySet, ("exists",)),),
    "aggregate": ((QuerySet, ("aggregate",)),),
    "in_bulk": ((QuerySet, ("in_bulk",)),),
    "update": ((QuerySet, ("update",)),),
    "_update": ((QuerySet, ("_update",)),),
    "delete": (
        (QuerySet, ("delete", "_raw_delete")),
        (deletion.Collector, ("__init__", "can_fast_delete", "collect", "delete")),
    ),
    # What Django does with the whole chain then.
    "rows": (
        BUILDING,
        *LOOKUPS,
        (compilers, ("cursor_iter",)),
        (query_module, ("_get_from_db", "get_related_populators")),
        (query_module.RelatedPopulator, ("__init__", "populate")),
        *((iterable, ("__init__", "__iter__")) for iterable in _ITERABLES),
    ),
    "counting": (BUILDING, *LOOKUPS, (Query, ("get_aggregation", "get_count"))),
    "checking": (BUILDING, *LOOKUPS, (Query, ("exists", "has_results"))),
    "aggregating": (BUILDING, *LOOKUPS, (Query, ("get_aggregation",))),
    "updating": (
        BUILDING,
        *LOOKUPS,
        (UpdateQuery, ("add_update_fields", "add_update_values", "get_compiler")),
    ),
    "deleting": (BUILDING, *LOOKUPS, (DeleteQuery, ("get_compiler",))),
    "inserting": (
        (InsertQuery, ("__init__", "get_compiler", "insert_values")),
        (Field, ("get_db_prep_save", "pre_save")),
    ),
    # What makes cursors, and stands around those of the driver.
    "cursor": (
        (CursorWrapper, ("_execute", "_execute_with_wrappers", "execute")),
        (DatabaseWrapper, WRAPPER_NAMES),
    ),
    # How an instance is made of a row.
    "instance": ((Model, ("__init__", "from_db")),),
}
# The methods of each class of compilers; an engine may have classes of its own.
COMPILERS: Mapping[str, tuple[str, ...]] = {
    "SQLCompiler": (
        *("__init__", "apply_converters", "as_sql", "compile", "execute_sql", "get_converters"),
        *("get_from_clause", "get_order_by", "get_related_selections", "get_select"),
        *("has_results", "pre_sql_setup", "results_iter", "setup_query"),
    ),
    "SQLAggregateCompiler": ("as_sql",),
    "SQLUpdateCompiler": ("as_sql", "execute_sql", "pre_sql_setup"),
    "SQLDeleteCompiler": ("as_sql",),
    "SQLInsertCompiler": (
        *("as_sql", "assemble_as_sql", "execute_sql", "field_as_sql", "pre_save_val"),
        "prepare_value",
    ),
}


# The classes of compilers that execute it.
COMPILED_BY: Mapping[str, tuple[str, ...]] = {
    "rows": ("SQLCompiler",),
    "counting": ("SQLCompiler", "SQLAggregateCompiler"),
    "checking": ("SQLCompiler",),
    "aggregating": ("SQLCompiler", "SQLAggregateCompiler"),
    "updating": ("SQLUpdateCompiler",),
    "deleting": ("SQLDeleteCompiler",),
    "inserting": ("SQLInsertCompiler",),
}

# What each class had when Django was loaded, or when its module was.
_first: dict[Any, dict[str, Any]] = {}
_taken: list[Any] = []


def remember(*owners: Any) -> None:
    """Take note of what classes and modules have now, unless that was done before."""
    for owner in owners:
        for base in getattr(owner, "__mro__", (owner,)):
            _first.setdefault(base, dict(vars(base)))


remember(BaseDatabaseOperations, *(owner for names in SKIPPED.values() for owner, _ in names))
remember(
    *(
        found
        for found in [*vars(lookups).values(), *vars(related_lookups).values()]
        if isinstance(found, type)
    )
)
remember(*(getattr(module, name) for module in (compilers, postgresqls) for name in COMPILERS))


def take_for_original(owner: Any, name: str, value: Any) -> None:
    """Let plans go on although a method is replaced, for test suites that lead it back to ours.

    Call it before the first query.

    Args:
        owner: the class.
        name: the method's.
        value: what stands there now.
    """
    remember(owner)
    _first[owner][name] = value
    _taken.append(value)


def is_original(value: Any) -> bool:
    """Return whether a function, property or class method is Django's or ours, wrapped by nobody.

    ``functools.wraps`` copies the name and the module of what it wraps, but not its globals.
    """
    if any(value is each for each in _taken):
        return True
    function = getattr(value, "fget", None) or getattr(value, "__func__", value)
    if type(function) is not FunctionType:
        return any(value is each for each in _first[object].values())
    return str(function.__globals__.get("__name__", "")).startswith(OWNERS)


def original(owner: Any, name: str) -> Any:
    """Return what an owner should have under a name.

    Args:
        owner: a class or module.
        name: of a function, property or class method.

    Returns:
        ``UNKNOWN`` if it was not Django's own, None if this release does not have the name.
    """
    for base in getattr(owner, "__mro__", (owner,)):
        found = _first.get(base, vars(base)).get(name)
        if found is not None:
            return found if is_original(found) else UNKNOWN
    return None


@functools.lru_cache(maxsize=256)
def guard(*names: Names) -> Guard:
    """Return a function that tells whether these names are Django's own at present.

    Args:
        *names: classes or modules, each with names. Where a name is inherited, a replacement in a
            base class counts too.
    """
    source = Source()
    with source.block("def intact():"):
        for owner, attributes in names:
            held = source.constant(owner)
            for attribute in attributes:
                first = original(owner, attribute)
                if first is not None:
                    found = f"{held}.{attribute}"
                    if hasattr(first, "__func__"):
                        # A class method is bound anew each time.
                        first = first.__func__
                        found = f"getattr({found}, '__func__', None)"
                    source.add(f"if {found} is not {source.constant(first)}: return False")
        source.add("return True")
    # Python makes code fast for the classes that it has seen.
    return source.function("intact", shared=False)


def guard_of_lookups(kinds: frozenset[type]) -> Guard:
    """Return the guard of classes of lookups; a project's own methods are no part of it."""
    return guard(
        *(
            (kind, tuple(name for name in LOOKUP_NAMES if original(kind, name) is not UNKNOWN))
            for kind in sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))
        )
    )


@functools.lru_cache(maxsize=64)
def guard_of_execution(alias: str, kind: str) -> Guard:
    """Return the guard of all that Django does to execute a statement.

    Args:
        alias: the database, whose engine may have compilers of its own.
        kind: a key of ``COMPILED_BY``.
    """
    operations = idle_wrapper(alias).ops
    names = [_skipped_of(operations.compiler(name)) for name in COMPILED_BY[kind]]
    return guard(*SKIPPED[kind], (type(operations), ("compiler",)), *sum(names, ()))


def _skipped_of(kind: type) -> tuple[Names, ...]:
    """Return what plans skip of a class of compilers, and of its bases: methods call theirs."""
    of_bases = [(base, COMPILERS.get(base.__name__, ())) for base in kind.__mro__]
    every = dict.fromkeys(name for _, names in of_bases for name in names)
    return (kind, tuple(every)), *((base, names) for base, names in of_bases[1:] if names)


@functools.lru_cache(maxsize=64)
def guard_of_cursors(alias: str) -> Guard:
    """Return the guard of what stands between a compiler and the driver."""
    return guard(*SKIPPED["cursor"], (engine_class(alias), WRAPPER_NAMES))


def _forget(**kwargs: Any) -> None:
    guard_of_execution.cache_clear()
    guard_of_cursors.cache_clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.plan.originals")
