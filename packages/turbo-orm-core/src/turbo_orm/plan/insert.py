"""INSERT of instances: the statement is known, Django prepares each field's value."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.db import connections
from django.db.models.expressions import Col
from django.db.models.sql import InsertQuery

from . import stats, verify
from .assign import has_placeholder
from .cache import Unplanned, cache
from .connected import formats_columns, live, saves_with_connection
from .exceptions import Unplannable
from .execute import Statement, execute_in_bridge
from .guards import Guard, guard_of_execution, guard_of_plan
from .operation import Operation
from .parts import Parts
from .record import root
from .shape import SEQUENCE_MAX
from .trace import planning
from .values import Plain, guard_of_values, plain_fields, store_otherwise

if TYPE_CHECKING:
    from .cache import Node


@dataclasses.dataclass(eq=False)
class InsertPlan:
    """The statement that inserts instances with certain fields.

    Args:
        sql: the statement.
        compiler: prepares the values.
        by_column: whether a parameter is the list of a field's values, which Django does for many
            rows since 5.2; else each value is one, row after row.
        plain: how the fields store ordinary values, None if one of them has a way of its own.
        stores_plainly: tells whether nobody has replaced how their classes store them.
        intact: tells whether nobody has replaced what else of the classes wrote the statement.
        converters: what Django makes of the values that the database gives back, by column.
        connected: whether a field gives the connection to code of the project's.
    """

    sql: str
    compiler: Any
    by_column: bool
    plain: list[Plain] | None
    stores_plainly: Guard
    intact: Guard
    converters: Mapping[int, Any]
    connected: bool = False
    place: tuple[Node, Any] | None = None

    # No part of the statement depends on the values, as a LIMIT may; Django gives it a tuple.
    limits: ClassVar[None] = None
    container: ClassVar[type] = tuple

    def params(self, fields: Sequence[Any], objs: Sequence[Any]) -> list[Any]:
        """Return the parameters; fields may change the instances, as ``auto_now`` does."""
        as_known = self.stores_plainly() and not store_otherwise(fields)
        if self.plain is not None and as_known:
            columns = [each.column(objs) for each in self.plain]
            if None not in columns:
                return columns if self.by_column else _one_by_one(zip(*columns, strict=True))
        compiler = self.compiler if as_known and not self.connected else live(self.compiler)
        prepare, value_of = compiler.prepare_value, compiler.pre_save_val
        rows = [[prepare(field, value_of(field, obj)) for field in fields] for obj in objs]
        if self.by_column:
            return [list(column) for column in zip(*rows, strict=True)]
        return _one_by_one(rows)

    def returned(self, rows: list[Any]) -> list[Any]:
        """Return the rows that the database gave back, as Django's ``execute_sql()`` does."""
        if not self.converters:
            return rows
        return list(live(self.compiler).apply_converters(rows, self.converters))


class Insertion:
    """What one call of Django's ``_insert()`` is to do.

    Args:
        objs: model instances of one class.
        fields: those that are inserted.
        returning: those that the database is to give back.
        raw: whether the values are taken as they are.
        options: what is to happen on a conflict.
    """

    def __init__(
        self,
        objs: Sequence[Any],
        fields: Sequence[Any],
        returning: Any,
        *,
        raw: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.objs = objs
        self.fields = fields
        self.returning = returning
        self.raw = raw
        self.options = options
        self.model = type(objs[0])

    def query(self, *, raw: bool) -> Any:
        """Return Django's query."""
        query = InsertQuery(self.model, **self.options)
        query.insert_values(self.fields, list(self.objs), raw=raw)
        return query

    def keys(self, alias: str) -> tuple[Any, Any]:
        """Return the keys of the plan for any number of rows, and of that for this number."""
        names = tuple(field.attname for field in self.fields)
        returned = tuple(field.attname for field in self.returning or ())
        options = tuple(
            tuple(option) if isinstance(option, list) else option
            for option in self.options.values()
        )
        key = ("insert", alias, self.raw, names, returned, options)
        count = len(self.objs)
        return (*key, "many" if count > 1 else "one"), (*key, count)

    def columns(self) -> list[Any]:
        """Return the columns that the database is to give back."""
        return [field.get_col(self.model._meta.db_table) for field in self.returning or ()]

    def guard(self) -> Guard:
        """Return what tells whether Django's own methods write the statement, at present."""
        parts = Parts(
            nodes=frozenset([Col] if self.returning else []),
            columns=frozenset(type(field) for field in self.returning or ()),
            saved=frozenset(type(field) for field in self.fields),
        )
        return guard_of_plan(parts)

    def is_plannable(self) -> bool:
        """Tell whether no value is an expression, which would be written into the SQL."""
        names = [field.attname for field in self.fields]
        kinds = {type(obj.__dict__.get(name)) for obj in self.objs for name in names}
        same = all(type(obj) is self.model for obj in self.objs)
        return same and not any(hasattr(kind, "resolve_expression") for kind in kinds)


def insert(insertion: Insertion, alias: str) -> Any:
    """Insert instances by the plan for their fields; call it in the bridge.

    Args:
        insertion: what is to be done.
        alias: the database.

    Returns:
        What Django's ``_insert()`` returns, None if Django itself must insert them.

    Raises:
        DatabaseError: the database refused them.
    """
    record = root(insertion.model)
    if record is None or not insertion.is_plannable():
        return None
    if not guard_of_execution(alias, "inserting")():
        stats.unplanned[stats.REPLACED] += 1
        return None
    keys = insertion.keys(alias)
    plan: Any = next(filter(None, map(record.node.plans.get, keys)), None)
    if type(plan) is Unplanned:
        stats.unplanned[plan.reason] += 1
        return None
    intact = insertion.guard() if plan is None else plan.intact
    if not intact():
        stats.unplanned[stats.REPLACED] += 1
        return None
    if plan is None:
        stats.counts["misses"] += 1
        try:
            plan, params = _learn(insertion, alias, intact)
        except Unplannable as error:
            cache.add_unplanned(record.node, keys[0], Unplanned(error.reason))
            return None
        if plan.by_column or len(insertion.objs) <= SEQUENCE_MAX:
            single = plan.by_column or len(insertion.objs) == 1
            cache.add_plan(record.node, keys[0] if single else keys[1], plan)
    else:
        stats.counts["hits"] += 1
        cache.touch(plan)
        params = plan.params(insertion.fields, insertion.objs)
        if cache.verifying:
            _verify(plan, params, insertion, alias)
    rows = execute_in_bridge(alias, Statement(cast(Any, plan), (), params))
    return plan.returned(rows) if insertion.returning else []


def _learn(insertion: Insertion, alias: str, intact: Guard) -> tuple[InsertPlan, Any]:
    """Return the plan, and the parameters: a field must prepare its value only once."""
    fields, count = insertion.fields, len(insertion.objs)
    query = insertion.query(raw=insertion.raw)
    if any(has_placeholder(field) or not _is_djangos(field) for field in fields):
        raise Unplannable("a field that takes part in writing the SQL")
    if not fields:
        raise Unplannable("an insert of no field")
    if formats_columns(insertion.returning or ()):
        raise Unplannable("a field that takes part in writing the SQL")
    # The fields are given the connection of this insert.
    compiler: Any = query.get_compiler(using=alias)
    compiler.returning_fields = insertion.returning
    statements = compiler.as_sql()
    with planning(alias):
        compiler.connection = connections[alias]
    sql, params = statements[0]
    row = f"({', '.join(['%s'] * len(fields))})"
    by_row = f"VALUES {', '.join([row] * count)}" in sql and len(params) == count * len(fields)
    by_column = "UNNEST(" in sql and [type(param) for param in params] == [list] * len(fields)
    if len(statements) != 1 or not (by_row or by_column):
        raise Unplannable("an insert that is not a plain one")
    # The plan outlives the instances.
    compiler.query = copy.copy(query)
    compiler.query.objs = []
    plain = plain_fields(fields, compiler.connection)
    stores_plainly = guard_of_values(fields, compiler.connection)
    columns = insertion.columns()
    converters = compiler.get_converters(columns)
    plan = InsertPlan(
        sql,
        compiler,
        by_column and not by_row,
        plain,
        stores_plainly,
        intact,
        converters,
        connected=saves_with_connection(fields),
    )
    return plan, tuple(params)


def _one_by_one(rows: Iterable[Iterable[Any]]) -> list[Any]:
    return [value for row in rows for value in row]


def _is_djangos(field: Any) -> bool:
    return str(type(field).pre_save.__module__).startswith("django.")


def _verify(plan: InsertPlan, params: Sequence[Any], insertion: Insertion, alias: str) -> None:
    with planning(alias):
        # Each field has prepared its value on the instance already.
        compiler: Any = insertion.query(raw=True).get_compiler(using=alias)
        compiler.returning_fields = insertion.returning
        ((sql, found),) = compiler.as_sql()
    operation = Operation("insert", insertion.model, alias, plan.sql)
    verify.same("SQL", plan.sql, sql, operation)
    verify.parameters(params, found, operation)
