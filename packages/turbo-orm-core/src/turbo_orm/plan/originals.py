"""What plans skip of Django, and whether somebody has put something else in its place.

Other packages replace methods of Django's, at any time: they profile, cache, filter by tenant. A
plan that skips such a method would skip the replacement too, so it stands aside as long as the
method is not Django's own. ``STEPS``, ``SKIPPED`` and ``COMPILERS`` are the table of
those methods; a guard compares them by identity, each name when Django would call it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

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


class Step(NamedTuple):
    """What a recorded step skips.

    Args:
        parts: what Django's method calls on the queryset.
        names: the method and its parts, and what it calls of the query.
    """

    parts: tuple[str, ...]
    names: tuple[Names, ...]


# Stands for an original that had been replaced when it was first looked at: no method is like it.
UNKNOWN: Any = object()
# Whose functions are originals: Django's, and those that this library puts in their place.
OWNERS = ("django.", "turbo_orm.")

# What is called for a condition when it is written, on the classes that define it.
WRITTEN: tuple[Names, ...] = (
    (lookups.Lookup, ("__init__", "get_prep_lookup")),
    (lookups.Exact, ("get_prep_lookup",)),
    (lookups.In, ("get_prep_lookup",)),
    (related_lookups.RelatedLookupMixin, ("get_prep_lookup",)),
    (related_lookups.RelatedIn, ("get_prep_lookup",)),
)
# The same, when the statement is made.
LOOKUPS: tuple[Names, ...] = (
    (lookups.Lookup, ("process_lhs", "process_rhs")),
    (lookups.BuiltinLookup, ("as_sql", "get_rhs_op", "process_lhs")),
    (lookups.FieldGetDbPrepValueMixin, ("get_db_prep_lookup",)),
    (lookups.Exact, ("as_sql",)),
    (lookups.In, ("as_sql", "process_rhs")),
    (lookups.PatternLookup, ("get_rhs_op", "process_rhs")),
    (related_lookups.RelatedLookupMixin, ("as_sql",)),
    (related_lookups.RelatedIn, ("as_sql",)),
)
# The same, on the classes of a plan's own lookups.
LOOKUP_NAMES = (
    *("__init__", "as_sql", "get_db_prep_lookup", "get_prep_lookup", "get_rhs_op", "process_lhs"),
    "process_rhs",
)
ITERABLES = (
    *(query_module.ModelIterable, query_module.ValuesIterable, query_module.ValuesListIterable),
    *(query_module.NamedValuesListIterable, query_module.FlatValuesListIterable),
)
ITERABLE_NAMES = ("__init__", "__iter__")

WRAPPER_NAMES = (
    *("_cursor", "create_cursor", "cursor", "ensure_connection", "make_cursor"),
    *("make_debug_cursor", "queries_logged"),
)

# What the methods that end a chain call of the query's, beside steps.
_ENDING: Names = (
    Query,
    (
        *("add_annotation", "add_ordering", "chain", "clear_ordering", "clone", "get_compiler"),
        "set_limits",
    ),
)
# Steps: what they call of the queryset's, and of the query's. Expressions may have conditions.
_RESOLVING = ("add_annotation", "build_filter", "build_lookup")
_FILTERING = (
    ("_filter_or_exclude", "_filter_or_exclude_inplace"),
    ("add_q", "build_filter", "build_lookup"),
)
_CHOOSING = (("_annotate", "_values", "annotate"), (*_RESOLVING, "add_fields", "set_values"))


def _step(name: str, own: tuple[str, ...] = (), of_query: tuple[str, ...] = ()) -> Step:
    parts = tuple(dict.fromkeys(("_chain", *own)))
    conditions = WRITTEN if "build_filter" in of_query else ()
    query = (Query, ("chain", "clone", *of_query))
    return Step(parts, ((QuerySet, (name, *parts)), query, *conditions))


# By method: a step of a chain, which is only recorded. Another's `_clone()` is called.
STEPS: Mapping[str, Step] = {
    name: _step(name, *parts)
    for name, parts in {
        "__getitem__": ((), ("set_limits",)),
        "_chain": (),
        "alias": (("_annotate",), _RESOLVING),
        "annotate": (("_annotate",), _RESOLVING),
        "defer": ((), ("add_deferred_loading",)),
        "distinct": (),
        "exclude": _FILTERING,
        "filter": _FILTERING,
        "only": ((), ("add_immediate_loading",)),
        "order_by": ((), ("add_ordering", "clear_ordering", "build_filter", "build_lookup")),
        "prefetch_related": (),
        "reverse": (),
        "select_related": ((), ("add_select_related",)),
        "values": _CHOOSING,
        "values_list": _CHOOSING,
    }.items()
}

_SEEKING: tuple[Names, ...] = (
    (QuerySet, ("_chain", "_earliest", "earliest", "get", "__len__", "order_by", "reverse")),
    _ENDING,
)
# By what is done: the methods of Django's that are not called if a plan does it.
SKIPPED: Mapping[str, tuple[Names, ...]] = {
    # The methods that end a chain.
    "_fetch_all": ((QuerySet, ("_fetch_all",)),),
    "get": ((QuerySet, ("get", "__len__", "order_by")),),
    "first": ((QuerySet, ("first", "__getitem__", "__iter__", "order_by", "ordered")),),
    "last": ((QuerySet, ("last", "__getitem__", "__iter__", "order_by", "ordered", "reverse")),),
    "earliest": _SEEKING,
    "latest": ((QuerySet, ("latest",)), *_SEEKING),
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
        _ENDING,
        *LOOKUPS,
        (QuerySet, ("query",)),
        (compilers, ("cursor_iter",)),
        (query_module, ("_get_from_db", "get_related_populators")),
        (query_module.RelatedPopulator, ("__init__", "populate")),
    ),
    "counting": (_ENDING, *LOOKUPS, (Query, ("get_aggregation", "get_count"))),
    "checking": (_ENDING, *LOOKUPS, (Query, ("exists", "has_results"))),
    "aggregating": (
        _ENDING,
        *(*WRITTEN, *LOOKUPS),
        (Query, (*_RESOLVING, "get_aggregation")),
    ),
    "updating": (
        _ENDING,
        *LOOKUPS,
        (UpdateQuery, ("add_update_fields", "add_update_values", "get_compiler")),
    ),
    "deleting": (_ENDING, *LOOKUPS, (DeleteQuery, ("get_compiler",))),
    "inserting": (
        (Query, ("__init__",)),
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


# What a chain is begun with.
BEGINNING: tuple[Names, ...] = ((QuerySet, ("query",)), (Query, ("__init__",)))
# All that Django does while a plan is learnt from it.
LEARNING: tuple[Names, ...] = (
    *(*BEGINNING, *WRITTEN),
    *(names for step in STEPS.values() for names in step.names),
    *((iterable, ITERABLE_NAMES) for iterable in ITERABLES),
)

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


def _mro(owner: Any) -> tuple[Any, ...]:
    return getattr(owner, "__mro__", (owner,))


def remember(*owners: Any) -> None:
    """Take note of what classes and modules have now, unless that was done before."""
    for owner in owners:
        for base in _mro(owner):
            _first.setdefault(base, dict(vars(base)))


remember(
    BaseDatabaseOperations,
    *(owner for names in (LEARNING, *SKIPPED.values()) for owner, _ in names),
)
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
    for base in _mro(owner):
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
        for owner, attributes in _distinct(names):
            held = source.constant(owner)
            for attribute, first in attributes.items():
                found, expected = f"{held}.{attribute}", first
                if hasattr(first, "__func__"):
                    # A class method is bound anew each time.
                    found, expected = f"getattr({found}, '__func__', None)", first.__func__
                source.add(f"if {found} is not {source.constant(expected)}: return False")
        source.add("return True")
    # Python makes code fast for the classes that it has seen.
    return source.function("intact", shared=False)


def _distinct(names: Iterable[Names]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each owner with its originals, without those that one of its subclasses inherits."""
    found: dict[Any, dict[str, Any]] = {}
    for owner, attributes in names:
        originals = {name: original(owner, name) for name in attributes}
        found.setdefault(owner, {}).update(
            (name, first) for name, first in originals.items() if first is not None
        )
    for owner, originals in found.items():
        heirs = [other for other in found if other is not owner and owner in _mro(other)]
        yield (
            owner,
            {
                name: first
                for name, first in originals.items()
                if not any(name in found[heir] and _inherits(heir, name, owner) for heir in heirs)
            },
        )


def _inherits(heir: type, name: str, owner: Any) -> bool:
    """Return whether a class has no name of its own, nor has one between it and its base."""
    between = _mro(heir)[: _mro(heir).index(owner)]
    return not any(name in _first.get(base, vars(base)) for base in between)


@functools.lru_cache(maxsize=256)
def guard_of_plan(lookups: frozenset[type], iterable: type | None = None) -> Guard:
    """Return the guard of a plan's own classes; a project's own methods are no part of it.

    Args:
        lookups: of its conditions.
        iterable: what makes objects of its rows.
    """
    kinds = sorted(lookups, key=lambda kind: (kind.__module__, kind.__qualname__))
    names: list[Names] = [(kind, LOOKUP_NAMES) for kind in kinds]
    if iterable is not None:
        names += [(base, ITERABLE_NAMES) for base in iterable.__mro__ if base is not object]
    return guard(
        *(
            (kind, tuple(name for name in given if original(kind, name) is not UNKNOWN))
            for kind, given in names
        )
    )


@functools.lru_cache(maxsize=64)
def guard_of_learning(alias: str, kind: str) -> Guard:
    """Return the guard of all that Django does to build a query and to execute it.

    Args:
        alias: the database, whose engine may have compilers of its own.
        kind: a key of ``COMPILED_BY``.
    """
    return guard(*LEARNING, *_executed(alias, kind))


@functools.lru_cache(maxsize=64)
def guard_of_execution(alias: str, kind: str) -> Guard:
    """Return the guard of what Django does to execute a statement whose chain is recorded.

    Args:
        alias: the database, whose engine may have compilers of its own.
        kind: a key of ``COMPILED_BY``.
    """
    return guard(*_executed(alias, kind))


def _executed(alias: str, kind: str) -> tuple[Names, ...]:
    operations = idle_wrapper(alias).ops
    names = [_skipped_of(operations.compiler(name)) for name in COMPILED_BY[kind]]
    return (*SKIPPED[kind], (type(operations), ("compiler",)), *sum(names, ()))


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
    guard_of_learning.cache_clear()
    guard_of_cursors.cache_clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.plan.originals")
