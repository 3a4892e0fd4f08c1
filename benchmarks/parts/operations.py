"""Every operation with every system, at several numbers of tasks."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..cases import ALL_CASES, CASES
from ..context import Context, Results, tell
from ..crew import Member, Unavailable, hired
from ..peers import PEERS
from . import floor


def run(context: Context) -> Results:
    """Return the samples by case, number of tasks and system."""
    options = context.options
    results: Results = {}
    # A process that has done other things has other caches and another memory.
    groups = [[case] for case in options.cases] if options.fresh else [options.cases]
    for cases in groups:
        with hired(options.systems, context.conninfo, options.pool) as (members, missing):
            context.note_crew(members, missing)
            results |= measure(context, cases, members)
    return {"operations": results, "floor": floor.run(context)}


def measure(context: Context, cases: Sequence[str], members: dict[str, Member]) -> Results:
    """Check, warm up, and let the systems take turns."""
    options = context.options
    able = {case: check(context, case, members) for case in cases}
    results: Results = {
        case: {str(tasks): {system: [] for system in able[case]} for tasks in options.tasks}
        for case in cases
    }
    if options.check:
        return results
    for case in cases:
        for system in able[case]:
            members[system].ask("spend", case=case, tasks=options.pool, seconds=options.warm)
    for number in range(options.rounds):
        began = time.monotonic()
        for case in cases:
            for tasks in options.tasks:
                order = {"case": case, "tasks": tasks, "seconds": options.seconds}
                for system in able[case]:
                    sample = members[system].ask("spend", **order)
                    results[case][str(tasks)][system].append(sample)
        what = CASES[cases[0]].title if len(cases) == 1 else f"{len(cases)} operations"
        spent = time.monotonic() - began
        tell(f"{what}: round {number + 1} of {options.rounds}, {spent:.1f} s")
    return results


def check(context: Context, case: str, members: dict[str, Member]) -> list[str]:
    """Return the systems that have an operation and answer rightly; a wrong answer ends the run."""
    able = []
    for system, member in members.items():
        try:
            member.ask("check", case=case)
        except Unavailable as error:
            context.note(f"{PEERS[system].title}, {ALL_CASES[case].title}: {error}")
            continue
        able.append(system)
    tell(
        f"{ALL_CASES[case].title}: {len(able)} of {len(members)} systems have it and answer rightly"
    )
    return able
