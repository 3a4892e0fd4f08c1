"""The table of what plans skip of Django.

Other packages replace methods of Django's, at any time: they profile, cache, filter by tenant. A
plan that skips such a method would skip the replacement too, so it stands aside as long as the
method is not Django's own. ``STEPS``, ``SKIPPED`` and ``COMPILERS`` are the table of those
methods; the guards in ``guards`` compare them by identity, each name when Django would call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Aggregate, F, Field, Func, Model, QuerySet, deletion, lookups
from django.db.models import query as query_module
from django.db.models.expressions import BaseExpression
from django.db.models.fields import related_lookups
from django.db.models.sql import DeleteQuery, InsertQuery, Query, UpdateQuery
from django.db.models.sql import compiler as compilers
from django.db.utils import ConnectionHandler

try:
    from django.db.backends.postgresql import compiler as postgresqls
except ImportError:  # before Django 5.2 PostgreSQL has no compilers of its own
    postgresqls = compilers  # type: ignore[misc]

from .originals import remember

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


# Methods that Django asks for, and calls only if they are there.
OPTIONAL = frozenset({"as_postgresql", "from_db_value", "get_placeholder", "get_placeholder_sql"})
# What is called for an expression when it is written.
RESOLVED: tuple[Names, ...] = tuple(
    (kind, ("resolve_expression",)) for kind in (Aggregate, BaseExpression, F, Func)
)
# What is called for a condition then and when the statement is made, on the classes of lookups.
LOOKUP_NAMES = (
    *("__init__", "as_postgresql", "as_sql", "batch_process_rhs", "get_db_prep_lookup"),
    *("get_prep_lhs", "get_prep_lookup", "get_rhs_op", "process_lhs", "process_rhs"),
    *("resolve_expression", "resolve_expression_parameter"),
)
ITERABLES = (
    *(query_module.ModelIterable, query_module.ValuesIterable, query_module.ValuesListIterable),
    *(query_module.NamedValuesListIterable, query_module.FlatValuesListIterable),
)
ITERABLE_NAMES = ("__init__", "__iter__")

WRAPPER_NAMES = (
    *("_cursor", "_prepare_cursor", "create_cursor", "cursor", "ensure_connection"),
    *("make_cursor", "make_debug_cursor", "queries_logged"),
)

# What the methods that end a chain call of the query's, beside steps.
_ENDING: Names = (
    Query,
    (
        *("add_annotation", "add_ordering", "chain", "clear_ordering", "clone", "get_compiler"),
        "set_limits",
    ),
)
# What every compiler calls of it.
_WRITING: Names = (Query, ("get_initial_alias", "get_select_mask", "join_parent_model"))
# What finds the columns and joins that a name stands for, as a step or a compiler needs them.
JOINING = ("get_initial_alias", "join", "names_to_path", "setup_joins", "table_alias", "trim_joins")
# Steps: what they call of the queryset's, and of the query's. Expressions may have conditions.
_CONDITIONS = (
    *("build_filter", "build_lookup", "demote_joins", "promote_joins", "resolve_lookup_value"),
    *("solve_lookup_type", *JOINING),
)
_RESOLVING = ("add_annotation", "resolve_ref", *_CONDITIONS)
_FILTERING = (("_filter_or_exclude", "_filter_or_exclude_inplace"), ("add_q", *_CONDITIONS))
_CHOOSING = (
    ("_annotate", "_values", "annotate"),
    (*_RESOLVING, "add_fields", "set_select", "set_values"),
)


def _step(name: str, own: tuple[str, ...] = (), of_query: tuple[str, ...] = ()) -> Step:
    parts = tuple(dict.fromkeys(("_chain", *own)))
    resolved = RESOLVED if "resolve_ref" in of_query else ()
    query = (Query, ("chain", "clone", *of_query))
    return Step(parts, ((QuerySet, (name, *parts)), query, *resolved))


# By method: a step of a chain, which is only recorded. Another's `_clone()` is called.
STEPS: Mapping[str, Step] = {
    name: _step(name, *parts)
    for name, parts in {
        "__getitem__": ((), ("set_limits",)),
        "_chain": (),
        "alias": (("_annotate",), _RESOLVING),
        "annotate": (("_annotate",), _RESOLVING),
        "defer": ((), ("add_deferred_loading",)),
        "distinct": ((), ("add_distinct_fields",)),
        "exclude": _FILTERING,
        "filter": _FILTERING,
        "only": ((), ("add_immediate_loading",)),
        "order_by": ((), ("add_ordering", "clear_ordering", *_CONDITIONS)),
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
        *(_ENDING, _WRITING),
        (QuerySet, ("query",)),
        (compilers, ("cursor_iter",)),
        (query_module, ("_get_from_db", "get_related_populators")),
    ),
    "counting": (_ENDING, _WRITING, (Query, ("get_aggregation", "get_count"))),
    "checking": (_ENDING, _WRITING, (Query, ("exists", "has_results"))),
    "aggregating": (
        *(_ENDING, _WRITING, *RESOLVED),
        (Query, (*_RESOLVING, "get_aggregation")),
    ),
    "updating": (
        *(_ENDING, _WRITING),
        (
            UpdateQuery,
            ("add_update_fields", "add_update_values", "get_compiler", "get_related_updates"),
        ),
    ),
    "deleting": (_ENDING, _WRITING, (DeleteQuery, ("get_compiler",))),
    "inserting": (
        (Query, ("__init__",)),
        (InsertQuery, ("__init__", "get_compiler", "insert_values")),
        (Field, ("get_db_prep_save", "pre_save")),
    ),
    # What makes cursors, and stands around those of the driver.
    "cursor": (
        (CursorWrapper, ("__init__", "_execute", "_execute_with_wrappers", "execute")),
        (DatabaseWrapper, WRAPPER_NAMES),
        # Datadog's tracer puts a function there that watches each connection.
        (ConnectionHandler, ("__getitem__",)),
    ),
    # How an instance is made of a row.
    "instance": ((Model, ("__init__", "from_db")),),
}
# Django 6.1 gave it another name.
QUOTING = (
    "quote_name" if hasattr(compilers.SQLCompiler, "quote_name") else "quote_name_unless_alias"
)
# The methods of each class of compilers; an engine may have classes of its own.
COMPILERS: Mapping[str, tuple[str, ...]] = {
    "SQLCompiler": (
        *("__init__", "apply_converters", "as_sql", "compile", "execute_sql", "get_converters"),
        *("collapse_group_by", "find_ordering_name", "get_default_columns", "get_distinct"),
        *("get_extra_select", "get_from_clause", "get_group_by", "get_order_by"),
        *("get_related_selections", "get_select", "has_results", "pre_sql_setup", QUOTING),
        *("results_iter", "setup_query"),
    ),
    "SQLAggregateCompiler": ("as_sql",),
    "SQLUpdateCompiler": ("as_sql", "execute_returning_sql", "execute_sql", "pre_sql_setup"),
    "SQLDeleteCompiler": ("as_sql",),
    "SQLInsertCompiler": (
        *("as_sql", "assemble_as_sql", "execute_sql", "field_as_sql", "pre_save_val"),
        "prepare_value",
    ),
}
# What compilers and expressions call of the operations of a database.
OPERATIONS = (
    *("adapt_integerfield_value", "check_expression_support", "compiler", "distinct_sql"),
    *("field_cast_sql", "get_db_converters", "integer_field_range", "limit_offset_sql"),
    "lookup_cast",
    *("max_in_list_size", "prep_for_like_query", "prepare_join_on_clause", "quote_name"),
)
OPERATIONS_INSERTING = (
    *("bulk_insert_sql", "compiler", "fetch_returned_insert_columns"),
    *("fetch_returned_insert_rows", "fetch_returned_rows", "get_db_converters"),
    *("insert_statement", "modify_insert_params", "on_conflict_suffix_sql", "quote_name"),
    *("return_insert_columns", "returning_columns"),
)

# What a chain is begun with.
BEGINNING: tuple[Names, ...] = ((QuerySet, ("query",)), (Query, ("__init__",)))
# All that Django does while a plan is learnt from it.
LEARNING: tuple[Names, ...] = (
    *BEGINNING,
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
