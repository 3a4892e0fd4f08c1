"""Turn an argument into the parameters of a known statement, through Django's own lookups."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import fields, lookups
from django.db.models.expressions import Col
from django.db.models.fields import related_lookups
from psycopg import Binary
from psycopg.types.json import Json, Jsonb

from .connected import gives_connection, live
from .exceptions import Unplannable
from .record import Prepared
from .tracing import Compiled

# Returns parameters; raises anything if the value does not fit the statement.
Binder = Callable[[Any], Sequence[Any]]


class DoesNotFit(Exception):
    """The arguments would give other SQL than that of the plan."""


# Values of these types are taken by these fields without any doubt, so that nobody needs to look
# at them before the query is executed.
INTEGERS = frozenset(
    {
        *(fields.AutoField, fields.BigAutoField, fields.SmallAutoField, fields.IntegerField),
        *(fields.BigIntegerField, fields.SmallIntegerField, fields.PositiveIntegerField),
        *(fields.PositiveBigIntegerField, fields.PositiveSmallIntegerField),
    }
)
TEXTS = frozenset(
    {fields.CharField, fields.TextField, fields.SlugField, fields.EmailField, fields.URLField}
)
UNDOUBTED: dict[type, frozenset[Any]] = {
    int: INTEGERS,
    str: TEXTS,
    float: frozenset({fields.FloatField}),
    uuid.UUID: frozenset({fields.UUIDField}),
    datetime.date: frozenset({fields.DateField}),
    datetime.timedelta: frozenset({fields.DurationField}),
    datetime.time: frozenset({fields.TimeField}),
    decimal.Decimal: frozenset(),
}

# Those of integers know the range of their column, except in Django 4.2.
OVERFLOW: Any = getattr(lookups, "IntegerFieldOverflow", ())
COMPARISONS = frozenset(
    {
        *(lookups.Exact, lookups.GreaterThan, lookups.GreaterThanOrEqual, lookups.LessThan),
        lookups.LessThanOrEqual,
        *(
            getattr(lookups, name)
            for name in (
                *("IntegerFieldExact", "IntegerGreaterThan", "IntegerGreaterThanOrEqual"),
                *("IntegerLessThan", "IntegerLessThanOrEqual"),
            )
            if hasattr(lookups, name)
        ),
    }
)
RELATED = frozenset(
    {
        *(related_lookups.RelatedExact, related_lookups.RelatedGreaterThan),
        *(related_lookups.RelatedGreaterThanOrEqual, related_lookups.RelatedLessThan),
        related_lookups.RelatedLessThanOrEqual,
    }
)
PATTERNS = frozenset(
    {
        *(lookups.Contains, lookups.IContains, lookups.StartsWith, lookups.IStartsWith),
        *(lookups.EndsWith, lookups.IEndsWith),
    }
)
# What psycopg wraps values in.
WRAPPERS = (Json, Jsonb, Binary)
# Their SQL is the left side, an operator and what `process_rhs` gives.
COMPOSED = frozenset(
    {
        lookups.BuiltinLookup.as_sql,
        lookups.Exact.as_sql,
        lookups.In.as_sql,
        related_lookups.RelatedIn.as_sql,
        related_lookups.RelatedLookupMixin.as_sql,
    }
)


def is_undoubted(compiled: Compiled) -> bool:
    """Tell whether Django would refuse no value of this type here, and looks at none early."""
    lookup = compiled.lookup
    kind = type(compiled.value)
    return (
        type(lookup) in COMPARISONS | RELATED | PATTERNS
        and type(lookup.lhs) is Col
        and not lookup.bilateral_transforms
        and type(target_of(lookup)) in UNDOUBTED.get(kind, ())
    )


def target_of(lookup: Any) -> Any:
    """Return the field whose values the left side of a lookup has, through foreign keys."""
    field = lookup.lhs.output_field
    if type(lookup) in RELATED:
        return getattr(field, "target_field", field)
    return field


def binder_of(compiled: Compiled, *, prepared: bool) -> Binder:
    """Return what turns a value into the parameters of a compiled lookup.

    Args:
        compiled: the lookup, from a trace.
        prepared: whether the values are ``Prepared``: they come with a lookup that was given more
            than a plain value, though the trace was given one.

    Returns:
        A function that raises if the lookup on that value would have other SQL.
    """
    for make in (_composed, _complete) if prepared else (_direct, _composed, _complete):
        binder = make(compiled)
        if binder is not None and _gives_the_same(binder, compiled):
            return binder
    raise Unplannable("a lookup that gives other parameters each time")


def _gives_the_same(binder: Binder, compiled: Compiled) -> bool:
    return comparable(binder(compiled.value)) == comparable(compiled.params)


def comparable(params: Sequence[Any]) -> list[Any]:
    """Return types and values of parameters; the driver's wrappers are not equal to each other."""
    return [(type(param), param.obj if isinstance(param, WRAPPERS) else param) for param in params]


def _direct(compiled: Compiled) -> Binder | None:
    lookup, connection = compiled.lookup, compiled.compiler.connection
    if not is_undoubted(compiled) or len(compiled.params) != 1:
        return None
    field = target_of(lookup)
    if type(lookup) in PATTERNS:
        return _pattern(lookup.param_pattern, connection.ops.prep_for_like_query)
    if isinstance(lookup, OVERFLOW):
        low, high = connection.ops.integer_field_range(field.get_internal_type())
        return _integer(field, connection, low, high)

    def bind(value: Any) -> Sequence[Any]:
        prepared = field.get_prep_value(value)
        return (field.get_db_prep_value(prepared, connection, prepared=True),)

    return bind


def _pattern(pattern: str, escape: Callable[[str], str]) -> Binder:
    def bind(value: Any) -> Sequence[Any]:
        return (pattern % escape(value),)

    return bind


def _integer(field: Any, connection: Any, low: Any, high: Any) -> Binder:
    def bind(value: Any) -> Sequence[Any]:
        # Django knows that no row can match, or that every row does.
        if (low is not None and value < low) or (high is not None and value > high):
            raise DoesNotFit
        prepared = field.get_prep_value(value)
        return (field.get_db_prep_value(prepared, connection, prepared=True),)

    return bind


def _composed(compiled: Compiled) -> Binder | None:
    """Leave out the left side, of which the SQL cannot change."""
    lookup, compiler, connection = compiled.lookup, compiled.compiler, compiled.compiler.connection
    kind, lhs = type(lookup), lookup.lhs
    if (
        type(lhs) is not Col
        or kind.as_sql not in COMPOSED
        or hasattr(kind, f"as_{connection.vendor}")
        or lookup.process_lhs(compiler, connection)[1]
    ):
        return None
    expected = lookup.process_rhs(compiler, connection)[0]
    if not gives_connection(lookup):
        return _remade(lookup, lambda made: made.process_rhs(compiler, connection), expected)

    def process(made: Any) -> Any:
        connected = live(compiler)
        return made.process_rhs(connected, connected.connection)

    return _remade(lookup, process, expected)


def _complete(compiled: Compiled) -> Binder:
    """Compile the whole lookup anew."""
    compiler = compiled.compiler
    if not gives_connection(compiled.lookup):
        return _remade(compiled.lookup, compiler.compile, compiled.sql)
    return _remade(compiled.lookup, lambda made: live(compiler).compile(made), compiled.sql)


def _remade(lookup: Any, write: Callable[[Any], Any], expected: str) -> Binder:
    """Return what makes the lookup again on another value, and refuses it if its SQL differs."""
    kind, lhs = type(lookup), lookup.lhs

    def bind(value: Any) -> Sequence[Any]:
        made = value.lookup if type(value) is Prepared else kind(lhs, value)
        if made.rhs is None:
            # Django makes another lookup of it.
            raise DoesNotFit
        sql, params = write(made)
        if sql != expected:
            raise DoesNotFit
        found: Sequence[Any] = params
        return found

    return bind


def preparer_of(compiled: Compiled) -> Callable[[Any], Any] | None:
    """Return what must look at a value when its condition is written, None if nothing needs to.

    Django refuses a value that does not fit its field as soon as the condition is written, and
    reads the primary key of an instance then.
    """
    if is_undoubted(compiled) and len(compiled.params) == 1:
        return None
    kind, lhs = type(compiled.lookup), compiled.lookup.lhs

    def prepare(value: Any) -> Any:
        lookup = kind(lhs, value)
        if lookup.rhs is None:
            raise DoesNotFit
        return Prepared(value, lookup)

    return prepare
