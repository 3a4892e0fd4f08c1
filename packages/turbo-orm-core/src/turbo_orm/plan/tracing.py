"""Django's query and compilers, noting which parameter of the SQL comes from which argument."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.core.signals import setting_changed
from django.db.models import ForeignObject, ForeignObjectRel
from django.db.models.sql import Query

from ..connection.engine import make_wrapper
from .connected import depends_on_project
from .exceptions import Unplannable
from .shape import Slot
from .warns import refuse_compared, refuse_lookup

# A relation may put anything into its joins: a content type, the language of the request.
RESTRICTION = "get_extra_restriction"
NO_RESTRICTION = (
    None,
    ForeignObject.get_extra_restriction,
    ForeignObjectRel.get_extra_restriction,
)

# Limits of the slice that is traced: no other number of a statement is likely to be one of them.
START_MARK = 7_301_907_533_911
LENGTH_MARK = 3_900_187_112_003


class Marker:
    """Stands in the parameters of a traced statement for the nth one of a compiled lookup."""

    __slots__ = ("index", "number")

    def __init__(self, number: int, index: int) -> None:
        self.number = number
        self.index = index


class Compiled(NamedTuple):
    """A lookup on one argument, as it was compiled.

    Args:
        slot: which of the chain's values it compares with.
        lookup: the lookup, with its left side as it ended up in the query.
        compiler: the compiler of the query or subquery that it stands in.
        sql: its SQL.
        params: its parameters for the traced value.
        value: that value.
    """

    slot: int
    lookup: Any
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    value: Any


class Tracer:
    """The notes of one trace."""

    def __init__(self) -> None:
        # By identity: equal conditions may stand for different arguments.
        self.slots: dict[int, int] = {}
        self.leaves: dict[int, Slot] = {}
        self.pending: list[tuple[int, Any]] = []
        self.compiled: list[Compiled] = []
        # Every node that was asked for its SQL.
        self.nodes: list[Any] = []
        # How many lookups on arguments are being compiled: their SQL is compared at each use.
        self.inside = 0

    def register(self, children: list[Any], first: int) -> None:
        """Give the conditions of one step the numbers of their values."""
        for leaf in _leaves(children):
            self.slots[id(leaf)] = first
            self.leaves[first] = leaf
            first += 1

    def note(self, slot: int, lookup: Any, compiler: Any, sql: str, params: Any) -> list[Marker]:
        """Remember a compiled lookup; return what stands for its parameters."""
        number = len(self.compiled)
        value = self.leaves[slot][1]
        self.compiled.append(Compiled(slot, lookup, compiler, sql, tuple(params), value))
        return [Marker(number, index) for index in range(len(params))]


def _leaves(children: list[Any]) -> Iterator[Slot]:
    for child in children:
        if isinstance(child, Slot):
            yield child
        elif hasattr(child, "children"):
            yield from _leaves(child.children)


_tracer: ContextVar[Tracer | None] = ContextVar("turbo_orm.tracer", default=None)


@contextlib.contextmanager
def tracing() -> Iterator[Tracer]:
    """Note what is built and compiled in this block."""
    tracer = Tracer()
    token = _tracer.set(tracer)
    try:
        yield tracer
    finally:
        _tracer.reset(token)


class TracedQuery(Query):
    """Notes the lookups that it builds on the arguments of a chain."""

    def build_filter(self, filter_expr: Any, *args: Any, **kwargs: Any) -> Any:
        """Build one condition, knowing whose value it compares with."""
        tracer = _tracer.get()
        slot = None if tracer is None else tracer.slots.get(id(filter_expr))
        if slot is None or tracer is None:
            return super().build_filter(filter_expr, *args, **kwargs)
        # A condition that moves into a subquery is taken apart there, but keeps its value.
        tracer.pending.append((slot, filter_expr[1]))
        try:
            return super().build_filter(filter_expr, *args, **kwargs)
        finally:
            tracer.pending.pop()

    def build_lookup(self, lookups: Any, lhs: Any, rhs: Any) -> Any:
        """Build a lookup, and mark it if it compares with an argument."""
        refuse_compared(self, lookups, lhs, rhs)
        lookup: Any = super().build_lookup(lookups, lhs, rhs)
        refuse_lookup(lookup)
        tracer = _tracer.get()
        if tracer is not None and tracer.pending and lookup is not None:
            slot, value = tracer.pending[-1]
            if rhs is value or (type(rhs) is type(value) and rhs == value):
                lookup.turbo_slot = slot
        return lookup


class TracingCompiler:
    """Mixed into each compiler class of the engine."""

    def compile(self, node: Any) -> Any:
        """Compile a node; a marked lookup gives markers instead of its parameters.

        Raises:
            Unplannable: the project's own code writes SQL that a plan would never write again.
        """
        compiled: Any = super()
        tracer = _tracer.get()
        if tracer is None:
            return compiled.compile(node)
        tracer.nodes.append(node)
        slot = getattr(node, "turbo_slot", None)
        if slot is None:
            if not tracer.inside and depends_on_project(node):
                raise Unplannable("SQL that the project's own code writes")
            return compiled.compile(node)
        tracer.inside += 1
        try:
            sql, params = compiled.compile(node)
        finally:
            tracer.inside -= 1
        return sql, tracer.note(slot, node, self, sql, params)

    def get_from_clause(self) -> Any:
        """Refuse joins whose SQL holds more than the chain says."""
        this: Any = self
        for join in this.query.alias_map.values():
            restriction = getattr(type(getattr(join, "join_field", None)), RESTRICTION, None)
            if restriction not in NO_RESTRICTION:
                raise Unplannable("a join with a restriction of its own")
        compiled: Any = super()
        return compiled.get_from_clause()

    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        """Hand over the statement instead of executing it."""
        this: Any = self
        sql, params = this.as_sql()
        raise Captured(self, sql, params)


class Captured(BaseException):
    """Carries a statement out of Django's code at the point where it would be executed.

    A ``BaseException``, so that no handler of errors on the way takes it for one.
    """

    def __init__(self, compiler: Any, sql: str, params: Any) -> None:
        super().__init__(sql)
        self.compiler = compiler
        self.sql = sql
        self.params = tuple(params)
        self.container = type(params)

    def detached(self) -> Captured:
        """Return it without the frames that it came through, which refer to it."""
        self.__traceback__ = self.__context__ = None
        return self


@functools.lru_cache(maxsize=64)
def _tracing_class(base: type) -> type:
    return type(base.__name__, (TracingCompiler, base), {})


@functools.lru_cache(maxsize=64)
def planning_wrapper(alias: str, server_version: int) -> Any:
    """Return a wrapper without a connection, whose compilers note and hand over statements.

    Args:
        alias: the database alias.
        server_version: the server's, on which some SQL depends, as libpq tells it.
    """
    wrapper: Any = make_wrapper(alias)
    # It is never lent: it stands for another wrapper for a while.
    wrapper.home = None
    wrapper.__dict__["pg_version"] = server_version
    compiler = wrapper.ops.compiler

    def tracing_compiler(name: str) -> type:
        return _tracing_class(compiler(name))

    def refuse() -> None:
        raise Unplannable("SQL that depends on the connection")

    wrapper.ops.compiler = tracing_compiler
    wrapper.ensure_connection = refuse
    return wrapper


def _forget(**kwargs: Any) -> None:
    planning_wrapper.cache_clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.plan.tracing")
