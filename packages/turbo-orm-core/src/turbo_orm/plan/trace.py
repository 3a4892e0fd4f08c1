"""Make the plan of a shape: build and compile a chain once, and see where its values end up."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.core.signals import setting_changed
from django.db import connections
from django.db.models import QuerySet

from ..connection.effects import effect_of
from ..leases.scope import replaced
from . import record as recording
from .assign import assigned_fields, assignments
from .bind import binder_of, preparer_of
from .connected import formats_columns, gives_connection, saves_with_connection
from .exceptions import Unplannable
from .guards import guard_of_plan
from .parts import parts_of
from .plan import LENGTH, START, Limits, Plan
from .record import Prepared, Record, build
from .shape import LITERALS
from .tracing import (
    LENGTH_MARK,
    START_MARK,
    Captured,
    Compiled,
    Marker,
    TracedQuery,
    Tracer,
    planning_wrapper,
    tracing,
)

# Runs Django's own code up to the statement that it executes.
Run = Callable[[Any], Any]
# By alias.
_versions: dict[str, Any] = {}
PLACES = re.compile(rf"%s|%%|{LENGTH_MARK}|{START_MARK}")


def make_plan(
    model: Any, alias: str, record: Record, terminal: Run, assigned: Sequence[Any] = ()
) -> Plan:
    """Return the plan of a chain that ends in a terminal method; call it in the bridge.

    Args:
        model: the model of the queryset.
        alias: the database.
        record: the chain.
        terminal: is given a queryset of Django's and runs the terminal method on it.
        assigned: values of the terminal's own that are the statement's first parameters.

    Raises:
        Unplannable: Django must execute this chain, or any chain of its shape.
        Exception: what Django raises for the arguments.
    """
    try:
        with planning(alias):
            with tracing() as tracer:
                captured, limits = _capture(model, alias, record, terminal, tracer)
            return _assemble(record, captured, limits, tracer, assigned)
    except EmptyResultSet:
        raise Unplannable("no row can match", lasting=False) from None


@contextlib.contextmanager
def planning(alias: str) -> Iterator[None]:
    """Let Django's code of this job hand over its statements instead of executing them."""
    with replaced(planning_wrapper(alias, _version(alias))):
        yield


def _version(alias: str) -> Any:
    """Return the server's version; as on a wrapper of Django's, it is asked for once.

    Another connection for it would make a query wait twice where the pool has none left.
    """
    if alias not in _versions:
        connection: Any = connections[alias]
        _versions[alias] = connection.pg_version
    return _versions[alias]


def _forget(**kwargs: Any) -> None:
    _versions.clear()


setting_changed.connect(_forget, dispatch_uid="turbo_orm.plan.trace")


def fresh(model: Any, alias: str, record: Record, terminal: Run) -> Captured:
    """Return what Django makes of a chain; call it in a block of ``planning()``.

    Raises:
        EmptyResultSet: Django knows that no row can match.
        Exception: what Django raises for the arguments.
    """
    try:
        terminal(build(model, record).using(alias))
    except Captured as captured:
        return captured.detached()
    raise Unplannable("a terminal that executes nothing", lasting=False)


def _capture(
    model: Any, alias: str, record: Record, terminal: Run, tracer: Tracer
) -> tuple[Captured, int | None]:
    """Return the traced statement, and the number of the value at which the slice begins."""
    limits = None
    queryset: Any = QuerySet(model, query=TracedQuery(model))
    for step in record.steps():
        payload, children = recording.with_leaves(step)
        first = 0 if step.previous is None else step.previous.node.total
        tracer.register(children, first)
        if step.step is recording.limits and step.node.total > first:
            limits, payload = first, _marked(*payload)
        assert step.step is not None
        queryset = step.step(queryset, payload)
    try:
        terminal(queryset.using(alias))
    except Captured as captured:
        return captured.detached(), limits
    raise Unplannable("a terminal that executes nothing", lasting=False)


def _marked(start: int | None, stop: int | None) -> tuple[int | None, int | None]:
    begin = START_MARK if start else None
    return begin, None if stop is None else (begin or 0) + LENGTH_MARK


def _assemble(
    record: Record,
    captured: Captured,
    limits: int | None,
    tracer: Tracer,
    assigned: Sequence[Any],
) -> Plan:
    compiled = tracer.compiled
    if formats_columns(_selected(captured.compiler)):
        raise Unplannable("a field that takes part in writing the SQL")
    savers = assignments(captured, assigned)
    saved = assigned_fields(captured) if savers else []
    pieces, used = _pieces(captured.params[len(savers) :], compiled)
    numbers = {old: new for new, old in enumerate(used)}
    bindings = [compiled[old] for old in used]
    _check_slots(record, bindings, limits)
    pieces = [numbers[piece] if type(piece) is int else piece for piece in pieces]
    sql = captured.sql
    if effect_of(sql).changes:
        # Only Django's cursor looks at each statement.
        raise Unplannable("a function that changes the session")
    text = None
    if limits is not None:
        text = Limits(limits, sql)
        sql, pieces = _with_limits(sql, pieces, bindings)
    binders = [
        (found.slot, binder_of(found, prepared=type(record.values[found.slot]) is Prepared))
        for found in bindings
    ]
    for number, saver in enumerate(savers):
        binders.append((record.node.total + number, saver))
        pieces.insert(number, len(binders) - 1)
    plan = Plan(
        sql,
        binders,
        tuple(_joined(pieces)),
        _twins(bindings),
        text,
        captured.compiler,
        parts_of([*tracer.nodes, *_selected(captured.compiler)], saved=saved),
        captured.container,
        connected=any(gives_connection(found.lookup) for found in bindings)
        or saves_with_connection(saved),
    )
    _give_checks(record, bindings)
    return plan


def _selected(compiler: Any) -> list[Any]:
    return [column[0] for column in compiler.select or ()]


def _pieces(params: Sequence[Any], compiled: list[Compiled]) -> tuple[list[Any], list[int]]:
    """Return constants and numbers of compiled lookups, in the order of the parameters."""
    pieces: list[Any] = []
    used: list[int] = []
    position = 0
    while position < len(params):
        param = params[position]
        if type(param) is not Marker:
            pieces.append((param,))
            position += 1
            continue
        count = len(compiled[param.number].params)
        run = params[position : position + count]
        if param.index or any(
            type(other) is not Marker or other.number != param.number or other.index != index
            for index, other in enumerate(run)
        ):
            raise Unplannable("parameters of one lookup apart from each other")
        pieces.append(param.number)
        if param.number not in used:
            used.append(param.number)
        position += count
    return pieces, used


def _check_slots(record: Record, bindings: list[Compiled], limits: int | None) -> None:
    found = {binding.slot for binding in bindings}
    if limits is not None:
        found |= {limits, limits + 1}
    if len(found) != record.node.total:
        # It may be that this value only was left out: Django writes equal conditions once.
        raise Unplannable("a value that is not in the SQL", lasting=False)
    for binding in bindings:
        if any(type(param) is Marker for param in binding.params):
            raise Unplannable("a lookup inside a lookup")
    slots = [binding.slot for binding in bindings]
    for binding in bindings:
        if slots.count(binding.slot) > 1 and type(binding.value) not in LITERALS:
            raise Unplannable("a value in several places")


def _with_limits(sql: str, pieces: list[Any], bindings: list[Compiled]) -> tuple[str, list[Any]]:
    """Put placeholders where the marks of the slice are, and their pieces among the others."""
    remaining = [
        (piece, len(bindings[piece].params) if type(piece) is int else 1) for piece in pieces
    ]
    made: list[Any] = []
    open_places = 0
    for place in PLACES.findall(sql):
        if place == "%s":
            if open_places == 0:
                piece, open_places = remaining.pop(0)
                made.append(piece)
            open_places -= 1
        elif place != "%%":
            if open_places:
                raise Unplannable("a slice inside a lookup")
            made.append(LENGTH if place == str(LENGTH_MARK) else START)
    if made.count(LENGTH) > 1 or made.count(START) > 1 or remaining:
        raise Unplannable("a slice that is written twice")
    text = sql.replace(str(LENGTH_MARK), "%s").replace(str(START_MARK), "%s")
    return text, made


def _joined(pieces: list[Any]) -> list[Any]:
    """Join neighbouring constants."""
    joined: list[Any] = []
    for piece in pieces:
        if joined and type(piece) is tuple and type(joined[-1]) is tuple:
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _twins(bindings: list[Compiled]) -> list[tuple[int, int]]:
    """Return the pairs of values whose conditions would be one and the same if they were equal."""
    return [
        (one.slot, other.slot)
        for number, one in enumerate(bindings)
        for other in bindings[:number]
        if one.slot != other.slot
        and type(one.lookup) is type(other.lookup)
        and one.lookup.lhs == other.lookup.lhs
    ]


def _give_checks(record: Record, bindings: list[Compiled]) -> None:
    """Tell each node of the chain what must look at the values of its step."""
    by_slot = {binding.slot: binding for binding in reversed(bindings)}
    for step in record.steps():
        if step.node.checks is None and step.previous is not None:
            numbers = range(step.previous.node.total, step.node.total)
            step.node.checks = tuple(
                preparer_of(by_slot[number]) if number in by_slot else None for number in numbers
            )
            step.node.watchful = any(step.node.checks)
            if step.node.watchful:
                lookups = [by_slot[number].lookup for number in numbers if number in by_slot]
                step.node.intact = guard_of_plan(parts_of(lookups))
