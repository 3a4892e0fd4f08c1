"""How time grows with the number of rows, and with the number of tasks."""

from __future__ import annotations

from ..context import Context, Results, tell
from ..crew import Member, hired
from .operations import check

ROWS = (1, 10, 100, 1_000, 10_000)
TASKS = (1, 5, 20, 50, 100, 200, 500)


def run(context: Context) -> Results:
    """Return the samples by number of rows, and by number of tasks, and system."""
    options = context.options
    with hired(options.systems, context.conninfo, options.pool) as (members, missing):
        context.note_crew(members, missing)
        able = {case: check(context, case, members) for case in ("listing", "get")}
        if options.check:
            return {"growth": {"rows": {}, "tasks": {}}}
        rows = {number: {"case": "listing", "tasks": 1, "fixed": [number]} for number in ROWS}
        tasks = {number: {"case": "get", "tasks": number} for number in TASKS}
        growth = {
            "rows": measure(context, members, able["listing"], rows),
            "tasks": measure(context, members, able["get"], tasks),
        }
    tell("growth has been measured")
    return {"growth": growth}


def measure(
    context: Context, members: dict[str, Member], able: list[str], orders: dict[int, Results]
) -> Results:
    """Let the systems take turns with each order, after a first time that is not counted."""
    options = context.options
    results: Results = {str(number): {system: [] for system in able} for number in orders}
    for system in able:
        for number in list(orders)[:3:2]:
            members[system].ask("spend", seconds=options.warm, **orders[number])
    for _ in range(options.rounds):
        for number, order in orders.items():
            for system in able:
                sample = members[system].ask("spend", seconds=options.seconds, **order)
                results[str(number)][system].append(sample)
    return results
