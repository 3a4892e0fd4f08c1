"""Execute a recorded queryset by its plan, or let Django do it and make the plan meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from ..bridge import in_bridge, run_sync
from . import stats, verify
from .bind import DoesNotFit, comparable
from .cache import Unplanned, cache
from .connected import live
from .exceptions import Unplannable
from .execute import Statement, execute, execute_in_bridge
from .failures import log_failures
from .guards import are_intact, guard_of_execution, guard_of_learning, guard_of_plan
from .hydrate import make_hydrator
from .operation import Operation
from .parts import parts_of_query
from .plan import Plan
from .record import Record
from .rows import objects_of
from .terminals import ROWS, Terminal
from .trace import fresh, make_plan, planning

# A shape whose plan cannot be made of these arguments may have one with others.
ATTEMPTS = 3
# No project has this zone as its own.
OTHER_ZONE = timezone.get_fixed_timezone(197)


def plan_key(record: Record, alias: str, name: Any) -> tuple[Any, ...]:
    """Return where the plan of a terminal is kept at the node of a chain."""
    if name in record.node.by_time_zone:
        # Zones of one name may differ, and equal ones have several names.
        return name, alias, timezone.get_current_timezone_name(), timezone.get_current_timezone()
    return name, alias


def find_plan(record: Record, alias: str, name: Any) -> Plan | Unplanned | None:
    """Return the plan of a chain and terminal, what says that there is none, or None."""
    if not record.current:
        return Unplanned("the plans were cleared meanwhile")
    return record.node.plans.get(plan_key(record, alias, name))


def ready(
    record: Record,
    alias: str,
    terminal: Terminal,
    *,
    first: bool = False,
    failures: list[Exception] | None = None,
) -> tuple[Plan, Statement] | None:
    """Return plan and statement of a chain, None if Django must execute it.

    Args:
        record: the chain.
        alias: the database.
        terminal: what ends it.
        first: whether it is tried again in the bridge if there is none, and counted only then.
        failures: is given what went wrong with the arguments, if that may be our own mistake.
    """
    plan = find_plan(record, alias, terminal.key)
    if not isinstance(plan, Plan):
        if not guard_of_execution(alias, terminal.kind)():
            stats.unplanned[stats.REPLACED] += not first
        elif plan is not None and not first:
            stats.unplanned[plan.reason] += 1
        return None
    if not (plan.executed() and plan.intact()):
        stats.unplanned[stats.REPLACED] += not first
        return None
    if record.pending and not record.settled:
        stats.counts["fallbacks"] += not first
        return None
    if first and plan.connected and not in_bridge():
        return None
    values = record.values + terminal.assigned if terminal.assigned else record.values
    try:
        statement = Statement(plan, values, plan.bind(values))
    except Exception as error:
        # If it is an error at all, Django raises it.
        stats.counts["fallbacks"] += not first
        if failures is not None and not isinstance(error, DoesNotFit | EmptyResultSet):
            failures.append(error)
        return None
    stats.counts["hits"] += 1
    cache.touch(plan)
    return plan, statement


def bind_only(queryset: Any) -> tuple[str, Sequence[Any]]:
    """Return the statement of a recorded queryset whose plan is known, and execute nothing.

    Args:
        queryset: of a shape that was executed before.

    Raises:
        Unplannable: Django must execute it.
    """
    record = queryset._record
    found = None if record is None else ready(record, queryset.db, ROWS)
    if found is None:
        raise Unplannable("no plan yet")
    return found[0].sql, found[1].params


async def fetch(queryset: Any) -> list[Any]:
    """Return the objects of a recorded queryset; for code outside the bridge."""
    record, alias = queryset._record, queryset.db
    found = None if cache.verifying else ready(record, alias, ROWS, first=True)
    if found is None or found[0].iterable_class is not queryset._iterable_class:
        return await run_sync(fetch_in_bridge, queryset, alias)
    plan, statement = found
    rows = await execute(alias, statement)
    if _hydrates_anywhere(plan, queryset, alias):
        return hydrate(plan, queryset, rows, alias)
    return await run_sync(hydrate, plan, queryset, rows, alias)


def _hydrates_anywhere(plan: Plan, queryset: Any, alias: str) -> bool:
    """Tell whether making the objects cannot query, so that it needs no bridge."""
    hydrator, known = plan.hydrator, queryset._known_related_objects
    if hydrator is None or not hydrator.still_valid():
        return False
    return bool(hydrator.pure_with(known, alias) if known else hydrator.pure)


def fetch_in_bridge(queryset: Any, alias: str | None = None) -> list[Any]:
    """Return the objects of a recorded queryset; for code in the bridge."""
    record, alias = queryset._record, alias or queryset.db
    failures: list[Exception] = []
    found = ready(record, alias, ROWS, failures=failures)
    if found is None or found[0].iterable_class is not queryset._iterable_class:
        learn(queryset, alias, record, ROWS, failures)
        found_by_django: list[Any] = as_django(
            queryset, alias, lambda plain: list(plain._iterable_class(plain))
        )
        log_failures(failures, Operation(ROWS.method, queryset.model, alias))
        return found_by_django
    plan, statement = found
    if not cache.verifying:
        return hydrate(plan, queryset, execute_in_bridge(alias, statement), alias)
    operation = Operation(ROWS.method, queryset.model, alias, plan.sql)
    verify.statement(operation, record, ROWS.run, statement)
    rows = execute_in_bridge(alias, statement)
    objects = hydrate(plan, queryset, rows, alias)
    verify.objects(objects, lambda: objects_of(plan, queryset, rows, alias), operation)
    return objects


def hydrate(plan: Plan, queryset: Any, rows: list[Any], alias: str) -> list[Any]:
    """Return the objects that rows stand for."""
    hydrator = plan.hydrator
    if hydrator is None or not hydrator.still_valid():
        return objects_of(plan, queryset, rows, alias)
    made: list[Any] = hydrator(
        rows,
        alias,
        queryset._known_related_objects,
        getattr(queryset, "_fetch_mode", None),
        plan.compiler.connection if hydrator.pure else connections[alias],
    )
    return made


async def attempt(queryset: Any, terminal: Terminal) -> Any:
    """Return the result of a method by its plan; None if that is only made now, or cannot be."""
    record, alias = queryset._record, queryset.db
    found = None if cache.verifying else ready(record, alias, terminal)
    if found is None:
        # Django does it then, and there the failures are of no other kind than here.
        await run_sync(learn, queryset, alias, record, terminal, [])
        return None
    plan, statement = found
    return terminal.finish(plan.compiler, await execute(alias, statement))


async def conclude(queryset: Any, terminal: Terminal, otherwise: Callable[[Any], Any]) -> Any:
    """Return the result of ``count()`` and its kin; for code outside the bridge.

    Args:
        queryset: a recorded queryset.
        terminal: the method.
        otherwise: Django's own method, given the queryset.
    """
    record, alias = queryset._record, queryset.db
    found = None if cache.verifying else ready(record, alias, terminal, first=True)
    if found is None:
        return await run_sync(conclude_in_bridge, queryset, terminal, otherwise, alias)
    plan, statement = found
    rows = await execute(alias, statement)
    if plan.pure:
        return terminal.finish(plan.compiler, rows)
    return await run_sync(_finish, terminal, plan, rows)


def _finish(terminal: Terminal, plan: Plan, rows: Any) -> Any:
    return terminal.finish(plan.compiler if plan.pure else live(plan.compiler), rows)


def conclude_in_bridge(
    queryset: Any, terminal: Terminal, otherwise: Callable[[Any], Any], alias: str | None = None
) -> Any:
    """Return the result of ``count()`` and its kin; for code in the bridge."""
    record, alias = queryset._record, alias or queryset.db
    failures: list[Exception] = []
    found = ready(record, alias, terminal, failures=failures)
    if found is None:
        learn(queryset, alias, record, terminal, failures)
        result = as_django(queryset, alias, otherwise)
        log_failures(failures, Operation(terminal.method, queryset.model, alias))
        return result
    plan, statement = found
    if cache.verifying:
        operation = Operation(terminal.method, queryset.model, alias, plan.sql)
        verify.statement(operation, record, terminal.run, statement)
    return _finish(terminal, plan, execute_in_bridge(alias, statement))


def as_django(queryset: Any, alias: str, function: Callable[[Any], Any]) -> Any:
    """Call a method of Django's on what a recorded queryset is without its record.

    Args:
        queryset: a recorded queryset. Other tasks may use it meanwhile, so it is left as it is.
        alias: its database: the router was asked already.
        function: the method, given the queryset.
    """
    queryset._build_query()
    plain = queryset._twin()
    plain._record, plain._db = None, alias
    return function(plain)


def learn(
    queryset: Any, alias: str, record: Record, terminal: Terminal, failures: list[Exception]
) -> None:
    """Make the plan of a chain and terminal, unless that is known to be impossible.

    Args:
        queryset: the recorded queryset.
        alias: the database.
        record: the chain.
        terminal: what ends it.
        failures: is given what is our own mistake unless Django raises it too.
    """
    name = terminal.key
    known = find_plan(record, alias, name)
    if not _may_learn(known, record, alias, terminal):
        return
    # Tracing would call what stands in the place of a method.
    parts = parts_of_query(queryset._build_query(), terminal.expressions)
    if not are_intact(parts.with_usual(queryset.model)):
        stats.unplanned[stats.REPLACED] += 1
        return
    stats.counts["misses"] += known is None
    try:
        terminal.refuse(queryset.model)
        plan = make_plan(queryset.model, alias, record, terminal.run, terminal.assigned)
        plan.parts |= parts
        zoned = _check(plan, queryset.model, alias, record, terminal)
        if terminal is ROWS:
            _choose_hydrator(plan, queryset)
        else:
            plan.pure = terminal.is_pure(plan.compiler)
        plan.intact = guard_of_plan(plan.parts, plan.iterable_class)
        plan.executed = guard_of_execution(alias, terminal.kind)
    except (InterfaceError, OperationalError):
        # There is no connection: Django would only wait for one again.
        raise
    except Exception as error:
        if not isinstance(error, Unplannable):
            failures.append(error)
        if record.current:
            unplanned = _unplanned(error, getattr(known, "attempts", 0))
            cache.add_unplanned(record.node, plan_key(record, alias, name), unplanned)
        return
    if zoned:
        record.node.by_time_zone.add(name)
    if record.current:
        cache.add_plan(record.node, plan_key(record, alias, name), plan)


def _may_learn(known: Any, record: Record, alias: str, terminal: Terminal) -> bool:
    """Tell whether there may be a plan, and a place for it."""
    if not record.current or type(known) is Plan or getattr(known, "attempts", 0) >= ATTEMPTS:
        return False
    return guard_of_learning(alias, terminal.kind)()


def _unplanned(error: Exception, attempts: int) -> Unplanned:
    """Return what says why there is no plan, and how often it was tried; too often if in vain."""
    if isinstance(error, Unplannable):
        found, lasting = Unplanned(error.reason), error.lasting
    else:
        found, lasting = Unplanned(f"{type(error).__name__} while a plan was made"), False
    found.attempts = ATTEMPTS if lasting else attempts + 1
    return found


def _check(plan: Plan, model: Any, alias: str, record: Record, terminal: Terminal) -> bool:
    """Compare a new plan with what Django makes; return whether the time zone is part of it."""
    method, values = terminal.run, record.values + terminal.assigned
    try:
        with planning(alias):
            here = fresh(model, alias, record, method)
            statement = plan.sql_as_django(values), plan.bind_as_django(values)
            if (here.sql, comparable(here.params)) != (statement[0], comparable(statement[1])):
                raise Unplannable("other SQL than Django's", lasting=False)
            if not settings.USE_TZ:
                return False
            with timezone.override(OTHER_ZONE):
                there = fresh(model, alias, record, method)
            return here.sql != there.sql or comparable(here.params) != comparable(there.params)
    except (DoesNotFit, EmptyResultSet):
        raise Unplannable("other SQL than Django's", lasting=False) from None


def _choose_hydrator(plan: Plan, queryset: Any) -> None:
    plan.iterable_class = queryset._iterable_class
    plan.hydrator = make_hydrator(
        plan.compiler, plan.iterable_class, queryset.model, queryset._fields
    )
