"""INSERT of one instance: the statement is known, Django prepares each field's value."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models.sql import InsertQuery

from . import stats
from .assign import has_placeholder
from .cache import Unplanned, cache
from .exceptions import PlanMismatch, Unplannable
from .record import root
from .trace import planning

if TYPE_CHECKING:
    from .cache import Node


class InsertPlan:
    """The statement that inserts an instance with certain fields.

    Args:
        sql: the statement, with one plain placeholder for each field.
        compiler: prepares the values.
        fields: whose values they are.
    """

    __slots__ = ("compiler", "fields", "place", "sql")

    def __init__(self, sql: str, compiler: Any, fields: Sequence[Any]) -> None:
        self.sql = sql
        self.compiler = compiler
        self.fields = tuple(fields)
        self.place: tuple[Node, Any]

    def params(self, instance: Any) -> list[Any]:
        """Return the parameters for an instance; its fields may change it, as ``auto_now`` does."""
        prepare, value_of = self.compiler.prepare_value, self.compiler.pre_save_val
        return [prepare(field, value_of(field, instance)) for field in self.fields]


def insert_one(
    instance: Any, fields: Sequence[Any], returning: Any, alias: str, *, raw: bool
) -> Any:
    """Insert an instance by the plan for its fields; call it in the bridge.

    Args:
        instance: a model instance.
        fields: those that are inserted.
        returning: those that the database is to give back.
        alias: the database.
        raw: whether the values are taken as they are.

    Returns:
        What Django's ``_insert()`` returns, None if Django itself must insert it.

    Raises:
        DatabaseError: the database refused it.
    """
    record = root(type(instance))
    if record is None or any(_is_expression(instance, field) for field in fields):
        return None
    names = tuple(field.attname for field in fields)
    key = ("insert", alias, raw, names, tuple(field.attname for field in returning or ()))
    plan: Any = record.node.plans.get(key)
    if type(plan) is Unplanned:
        stats.unplanned[plan.reason] += 1
        return None
    query = InsertQuery(type(instance))
    query.insert_values(fields, [instance], raw=raw)
    if plan is None:
        stats.counts["misses"] += 1
        try:
            plan, params = _learn(query, fields, returning, alias)
        except Unplannable as error:
            cache.add_unplanned(record.node, key, Unplanned(error.reason))
            return None
        cache.add_plan(record.node, key, plan)
    else:
        stats.counts["hits"] += 1
        cache.touch(plan)
        params = plan.params(instance)
        if cache.verifying:
            _verify(plan, params, fields, instance, alias)
    compiler: Any = query.get_compiler(using=alias)
    compiler.returning_params = plan.compiler.returning_params
    compiler.as_sql = lambda: [(plan.sql, params)]
    return compiler.execute_sql(returning)


def _is_expression(instance: Any, field: Any) -> bool:
    return hasattr(instance.__dict__.get(field.attname), "resolve_expression")


def _learn(query: Any, fields: Any, returning: Any, alias: str) -> tuple[InsertPlan, Any]:
    """Return the plan, and the parameters: a field must prepare its value only once."""
    if any(has_placeholder(field) or not _is_djangos(field) for field in fields):
        raise Unplannable("a field that takes part in writing the SQL")
    if not fields:
        raise Unplannable("an insert of no field")
    with planning(alias):
        compiler: Any = query.get_compiler(using=alias)
        compiler.returning_fields = returning
        statements = compiler.as_sql()
    sql, params = statements[0]
    places = ", ".join(["%s"] * len(fields))
    if len(statements) != 1 or len(params) != len(fields) or f"VALUES ({places})" not in sql:
        raise Unplannable("an insert that is not a plain one")
    # The plan outlives the instance.
    compiler.query = copy.copy(query)
    compiler.query.objs = []
    return InsertPlan(sql, compiler, fields), tuple(params)


def _is_djangos(field: Any) -> bool:
    return str(type(field).pre_save.__module__).startswith("django.")


def _verify(
    plan: InsertPlan, params: Sequence[Any], fields: Any, instance: Any, alias: str
) -> None:
    query = InsertQuery(type(instance))
    # Each field has prepared its value on the instance already.
    query.insert_values(fields, [instance], raw=True)
    with planning(alias):
        compiler: Any = query.get_compiler(using=alias)
        compiler.returning_fields = plan.compiler.returning_fields
        ((sql, found),) = compiler.as_sql()
    if (sql, [*map(repr, found)]) != (plan.sql, [*map(repr, params)]):
        stats.counts["mismatches"] += 1
        raise PlanMismatch(f"The plan's {plan.sql!r}, {params!r}. Django's: {sql!r}, {found!r}.")
